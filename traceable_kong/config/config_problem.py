"""A problem with the configuration, and the registry of the rules that find them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from traceable_kong.common.commands import config_remove as config_remove
from traceable_kong.common.commands import config_set as config_set
from traceable_kong.common.commands import config_set_secret as config_set_secret
from traceable_kong.config.stack_config import StackConfig


@dataclass(frozen=True)
class Problem:
    """`key` is the path below the namespace, such as `agent.url`; `mend` is a command or what to write.

    `rule` is the name of the rule that found it.
    """

    key: str
    wrong: str
    mend: str
    rule: str = ""


Rule = Callable[[StackConfig], Iterator[Problem]]

RULES: dict[str, Rule] = {}
"""Every rule between keys, by its name; its docstring says what it asks for."""


def rule(function: Rule) -> Rule:
    """Registers a rule under its function's name."""
    RULES[function.__name__] = function
    return function


def path_of(*parts: str | int) -> str:
    """The path of a key as `pulumi config set --path` takes it: `kongValues.env["a.b"][0]`.

    Source: https://www.pulumi.com/docs/iac/concepts/config/#structured-configuration.
    """
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[A-Za-z0-9_-]+", part):
            text += f".{part}" if text else part
        else:
            # Text of other people: nothing in it may act on a terminal.
            shown = part.encode("unicode_escape").decode("ascii").replace('"', '\\"')
            text += f'["{shown}"]'
    return text


def shown(value: object) -> str:
    """A value as an error shows it: short, on one line, without effect on a terminal, and without a password.

    What stands before an `@` is one: in an address of any kind, well-formed or not.
    """
    text = repr(re.sub(r".*@", "***@", value, flags=re.DOTALL) if isinstance(value, str) else value)
    return text if len(text) <= 80 else f"{text[:77]}..."
