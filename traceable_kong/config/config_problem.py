"""A problem with the config, and how its text shows keys and values."""

import dataclasses
import re
from collections.abc import Collection
from dataclasses import dataclass

from traceable_kong.common import secret_texts


@dataclass(frozen=True)
class Problem:
    """`key` is a path such as `agent.url`, or `kubernetes:context`; `problem` goes on from it; `fix` is what to do.

    `rule` is the name of the rule that found it.
    """

    key: str
    problem: str
    fix: str
    rule: str = ""


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
            # Pulumi has no other escape. What cannot be printed is escaped with the whole message.
            escaped = part.replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


def shown(value: object) -> str:
    """A value as an error shows it: short, on one line, without effect on a terminal, and without a password.

    Everything before an `@` counts as one, in a well-formed address or not.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        _, at, rest = value.rpartition("@")
        value = f"***{at}{rest[:100]}" if at else value[:100]
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def without_secrets(problem: Problem, secrets: Collection[str]) -> Problem:
    """The problem without the texts of secrets; a command has VALUE in their place."""
    return dataclasses.replace(
        problem,
        problem=secret_texts.without_secrets(problem.problem, secrets),
        fix=secret_texts.fix_without_secrets(problem.fix, secrets),
    )
