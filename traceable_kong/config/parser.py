"""The stack's configuration, read and checked: all problems at once, in one message, before anything is touched.

Keys and types are in stack_config.py, rules for single values in value_rules.py, rules between keys in rules/, and
which leaves are secret in secret_values.py.
"""

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

import pulumi

from traceable_kong.common.safe_text import printable_lines
from traceable_kong.config.config_problem import RULES, Problem

# Importing the rules fills RULES.
from traceable_kong.config.rules import (  # noqa: F401
    admin_rules,
    agent_rules,
    database_rules,
    general_rules,
    plugin_rules,
)
from traceable_kong.config.rules.agent_only_rules import OF_THE_AGENT, no_gateway
from traceable_kong.config.secret_values import SecretPath, hide, plain_credentials, take_misplaced
from traceable_kong.config.stack_config import StackConfig
from traceable_kong.config.value_rules import VALUE_RULES, read, validated

NAMESPACE = "traceable-kong"

ALL_RULES: Mapping[str, str] = {
    **VALUE_RULES,
    "secret_in_plain_view": "A secret stands only where it can be kept.",
    "credentials_in_plain_text": "The token, and the headers for a mirror, are secret in the stack file.",
    **{name: (rule.__doc__ or "").strip() for name, rule in RULES.items()},
}
"""Every rule: its name, and what it asks for."""


class ConfigError(pulumi.RunError):
    """The configuration cannot be used; the text is the whole message for the person at the terminal."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = list(problems)
        count = "one problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = [f"The stack's configuration has {count}. Nothing was touched."]
        for problem in self.problems:
            lines += [
                "",
                f"  {NAMESPACE}:{problem.key}",
                f"    {problem.wrong}{'' if problem.wrong.endswith('?') else '.'}",
                f"    -> {problem.mend}",
            ]
        super().__init__(printable_lines(lines))


def parse(
    given: Mapping[str, str],
    *,
    secret_paths: Collection[SecretPath] = (),
    without_rules: Collection[str] = (),
) -> StackConfig:
    """Settings of what the engine hands over: `{key: text}`, objects as JSON. Pure.

    `secret_paths` says which leaves are secret, `("agentToken",)` or `("kongValues", "env", "password")`; a path to an
    object means all that is in it. `without_rules` leaves rules out, for the tests. Raises SettingsError.
    """
    raw, problems = read(given)
    raw = {key: hide(value, (key,), secret_paths) for key, value in raw.items()}
    misplaced = take_misplaced(raw)
    taken = {problem.key for problem in misplaced}
    problems += misplaced
    settings, wrong = validated(raw)
    problems += [problem for problem in wrong if problem.key not in taken]

    broken = {_top(problem) for problem in problems}
    problems += [problem for problem in plain_credentials(raw) if _top(problem) not in broken]
    problems += _found_by_rules(settings, without_rules, broken)
    problems = [problem for problem in problems if problem.rule not in without_rules]
    if problems:
        raise ConfigError(problems)
    guard = settings.tme_guard or ("deny" if settings.fail_mode == "closed" else "warn")
    if settings.agent.url is not None:
        guard = "off"  # No TME, whatever the mode is going to be: there is nothing to guard.
    return settings.model_copy(update={"tme_guard": guard})


def _top(problem: Problem) -> str:
    return problem.key.split(".")[0].split("[")[0]


def _found_by_rules(
    settings: StackConfig, without_rules: Collection[str], broken: Collection[str]
) -> Iterator[Problem]:
    for name, rule in RULES.items():
        if name not in without_rules:
            watched = _Watched(settings)
            found = list(rule(cast(StackConfig, watched)))
            if not settings.gateway and name != no_gateway.__name__:
                # What is not there at all is not judged by what it would have to be.
                found = [problem for problem in found if _top(problem) in OF_THE_AGENT]
            # What is broken stands at its default here, and a rule that has read it has judged what nobody wrote.
            if not watched.read & set(broken):
                yield from (dataclasses.replace(problem, rule=name) for problem in found)


class _Watched:
    """Settings that remember which keys were read."""

    def __init__(self, settings: StackConfig) -> None:
        self.settings = settings
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        field = StackConfig.model_fields.get(name)
        if field is not None and field.alias is not None:
            self.read.add(field.alias)
        return getattr(self.settings, name)
