"""A resource as a policy sees it, and the messages about it."""

import fnmatch
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

PROJECT_TYPE = "traceable-kong:index:"
"""The types of this project's components begin with it; a URN has the types of all parents."""

AGENT_TYPE = f"{PROJECT_TYPE}TraceableAgent"
RELEASE = "kubernetes:helm.sh/v3:Release"
PRODUCTION = ("prod", "prod-*", "production", "production-*", "*-prod", "*-production")
"""Patterns for names of stacks, if the policy's configuration has none."""

SECRET, UNKNOWN = "a secret", "a value that is not known yet"
"""What a rule says in place of a value that it cannot show or does not have."""


class Hidden:
    """In place of a value that is secret in the state, or unknown in a preview."""

    def __init__(self, what: str) -> None:
        self.what = what


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource with its properties as plain data: those that the program registered, or those of the state."""

    urn: str
    type: str
    props: Mapping[str, Any] = field(default_factory=dict)
    protect: bool = False

    @property
    def stack(self) -> str:
        return self.urn.removeprefix("urn:pulumi:").split("::")[0]

    @property
    def kind(self) -> str:
        return self.type.split(":")[-1]

    @property
    def installs_traceable(self) -> bool:
        """Whether a component of this project registered it."""
        return PROJECT_TYPE in self.qualified_type

    @property
    def of_agent(self) -> bool:
        return AGENT_TYPE in self.qualified_type

    @property
    def qualified_type(self) -> str:
        """The types of all parents and its own."""
        parts = self.urn.split("::")
        return parts[2] if len(parts) > 2 else ""

    def get(self, *path: str) -> Any:
        """The value at this path, None without one or if it is hidden."""
        value: Any = self.props
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return None if isinstance(value, Hidden) else value

    def __str__(self) -> str:
        """Kind, namespace and name, as in Kubernetes; without them, the last part of the URN."""
        where = self.props if self.type == RELEASE else self.get("metadata") or {}
        names = (where.get(key) for key in ("namespace", "name"))
        named = "/".join(name for name in names if isinstance(name, str)) or self.urn.split("::")[-1]
        return printable(f"{self.kind} {named}")


def is_production(stack: str, patterns: Iterable[str]) -> bool:
    """Whether the stack's name fits one of the patterns, in which `*` stands for any text."""
    return any(fnmatch.fnmatchcase(stack.lower(), pattern.lower()) for pattern in patterns)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that is neither an object nor a list, with its path."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, str(index)))
    else:
        yield path, value


def config_key(*path: str) -> str:
    """The key of the stack config, with the project's name, as one word of a shell."""
    return _word(f"traceable-kong:{_joined(path)}")


def shown_path(path: Iterable[str]) -> str:
    """The path as Pulumi writes it: `values.env[0].value`."""
    return printable(_joined(path))


def _joined(path: Iterable[str]) -> str:
    text = ""
    for part in path:
        if part.isdigit():
            text += f"[{part}]"
        elif re.fullmatch(r"[A-Za-z0-9_-]+", part):
            text += f".{part}" if text else part
        else:
            quoted = part.replace('"', '\\"')
            text += f'["{quoted}"]'
    return text


def _word(text: str) -> str:
    return shlex.quote(printable(text)) if re.search(r"[^A-Za-z0-9_.:-]", text) else text


def message(problem: str, consequence: str, fix: str) -> str:
    """The text of a violation: what is wrong, what would happen, what to do."""
    return printable(f"{problem}. {consequence}.") + f"\n  -> {fix}"


def printable(text: str) -> str:
    """The text in one line; what cannot be printed is escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
