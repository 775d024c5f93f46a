"""How a run words what it says to a person: where its commands go, and where the config is changed."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from traceable_kong.common.commands import on_cluster

_WORD = r"""(?:'[^']*'|"[^"]*"|[^\s'"`,;)])+"""
_KEY = r"(?:(?:traceable-kong:|(?=kubernetes:))(?P<key>" + _WORD + r"))"
_OPTIONS = r"(?: --(?!secret)[a-z]+)*(?: --)?"

_SET_SECRET = re.compile(
    rf"(?P<tick>`?)pulumi config set --secret{_OPTIONS} '?{_KEY}'?`?(?: \(it asks for the value\))?"
)
_SET = re.compile(rf"(?P<tick>`?)(?:printf [^|]*\| )?pulumi config set{_OPTIONS} '?{_KEY}'?(?: (?P<value>{_WORD}))?`?")
_REMOVE = re.compile(rf"(?P<tick>`?)pulumi config rm{_OPTIONS} '?{_KEY}'?`?")
_MENTIONED = re.compile(r"\btraceable-kong:(?=[A-Za-z])|\b(?P<provider>kubernetes):(?=[A-Za-z])")


@dataclass(frozen=True, kw_only=True)
class Wording:
    """`options` name the cluster in kubectl and helm commands (commands.cluster_options).

    `component` is the name of a component whose arguments are the config, None where it is the stack's config;
    `argument` writes a key, such as `kong.filesMountedBy`, as its language does.
    """

    options: str
    component: str | None = None
    argument: Callable[[str], str] = str

    def shown(self, text: str) -> str:
        """A message with its commands for this run."""
        text = on_cluster(text, self.options)
        return self._in_arguments(text) if self.component is not None else text

    def _in_arguments(self, text: str) -> str:
        """A message that names arguments in place of keys and commands of the stack's config."""
        text = text.replace("The stack's config has ", f"The arguments of {self.component} have ")
        text = text.replace("plain text in the stack file, and everyone who can read the file can use it", _PLAIN)
        text = _SET_SECRET.sub(
            lambda found: f"set {self._name(found)} to a secret, as pulumi.Output.secret(VALUE)", text
        )
        text = _SET.sub(lambda found: f"set {self._name(found)} to {found['value'] or 'VALUE'}", text)
        text = _REMOVE.sub(lambda found: f"remove {self._name(found)}", text)
        text = _MENTIONED.sub(lambda found: "kubernetes." if found["provider"] else "", text)
        return text.replace("the stack file", "the arguments").replace("Pulumi.<stack>.yaml", "the arguments")

    def _name(self, found: re.Match[str]) -> str:
        key = found["key"].replace("kubernetes:", "kubernetes.")
        return f"the argument {self.argument(key)}"


_PLAIN = "plain text, and everyone who can read the program or its state can use it"
