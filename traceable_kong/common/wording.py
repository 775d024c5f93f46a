"""How a run words what it says to a person: where its commands go, and where the config is changed."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from traceable_kong.common.commands import on_cluster

_WORD = r"""(?:'[^']*'|"[^"]*"|[^\s'"`,;)])+"""
_NAMESPACE = r"(?:traceable-kong:|(?=kubernetes:))"
_KEY = rf"(?:'{_NAMESPACE}(?P<quoted>[^']*)'|{_NAMESPACE}(?P<key>{_WORD}))"
_OPTIONS = r"(?: --(?!secret)[a-z]+)*(?: --)?"

_SET_SECRET = re.compile(rf"`?pulumi config set --secret{_OPTIONS} {_KEY}`?(?: \(it asks for the value\))?")
_SET = re.compile(rf"`?(?:printf [^|]*\| )?pulumi config set{_OPTIONS} {_KEY}(?: (?P<value>{_WORD}))?`?")
_REMOVE = re.compile(rf"`?pulumi config rm{_OPTIONS} {_KEY}`?")
_INDENTED = re.compile(r"write (an object|a list) in Pulumi\.<stack>\.yaml, indented(?: below traceable-kong:\S+:)?")
_MENTIONED = re.compile(r"\btraceable-kong:(?=[A-Za-z])|\b(?P<provider>kubernetes):(?=[A-Za-z])")


@dataclass(frozen=True, kw_only=True)
class Wording:
    """`options` name the cluster in kubectl and helm commands (commands.cluster_options).

    `component` is the name of a component whose arguments are the config, None where it is the stack's config;
    `spelled` writes the keys in a message as the language of its arguments does.
    """

    options: str
    component: str | None = None
    spelled: Callable[[str], str] = str

    def shown(self, text: str) -> str:
        """A message with its commands for this run."""
        text = on_cluster(text, self.options)
        return self._in_arguments(text) if self.component is not None else text

    def logged(self, text: str) -> str:
        """A message that does not say itself which component of a program it is about."""
        return f"{self.component}: {self.shown(text)}" if self.component is not None else self.shown(text)

    def _in_arguments(self, text: str) -> str:
        """A message that names arguments in place of keys and commands of the stack's config."""
        text = text.replace("The stack's config has ", f"The arguments of {self.component} have ")
        text = text.replace("plain text in the stack file, and everyone who can read the file can use it", _PLAIN)
        text = text.replace("is not a key of this program", "is not an argument of TraceableOnKong")
        text = _INDENTED.sub(r"pass \1", text)
        text = _SET_SECRET.sub(lambda found: f"set {_name(found)} to a secret, as pulumi.Output.secret(VALUE)", text)
        text = _SET.sub(lambda found: f"set {_name(found)} to {found['value'] or 'VALUE'}", text)
        text = _REMOVE.sub(lambda found: f"remove {_name(found)}", text)
        text = _MENTIONED.sub(lambda found: "kubernetes." if found["provider"] else "", text)
        text = text.replace("the stack file", "the arguments").replace("Pulumi.<stack>.yaml", "the arguments")
        text = text.replace("(without --secret)", "(not as a secret)").replace(
            "without --secret, such as", "not as a secret:"
        )
        return self.spelled(text)


def _name(found: re.Match[str]) -> str:
    key = found["quoted"] or found["key"]
    return f"the argument {key.replace('kubernetes:', 'kubernetes.')}"


_PLAIN = "plain text, and everyone who can read the program or its state can use it"
