"""The stack's configuration, read and checked: all problems at once, in one message, before anything is touched.

The door to the settings: keys and types are in settings/model.py, what is wrong with single values in
settings/values.py, rules between keys in settings/rules*.py, and which leaves are secret
in settings/secrets.py. Leaves out what the settings come to (plan.py).
"""

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pulumi
from pulumi.runtime import config as runtime_config

import rock_download
from safe_text import printable_lines

# Importing the rules fills RULES.
from settings import rules, rules_admin, rules_agent, rules_database, rules_plugin, secrets  # noqa: F401
from settings.model import Settings
from settings.problem import RULES, Problem, config_set
from settings.rules_alone import OF_THE_AGENT, no_gateway
from settings.secrets import SecretPath
from settings.values import VALUE_RULES, read, validated

__all__ = ["ALL_RULES", "Settings", "SettingsError", "load", "parse"]

NAMESPACE = "traceable-kong"

ALL_RULES: Mapping[str, str] = {
    **VALUE_RULES,
    "secret_in_plain_view": "A secret stands only where it can be kept.",
    "credentials_in_plain_text": "The token, and the headers for a mirror, are secret in the stack file.",
    **{name: (rule.__doc__ or "").strip() for name, rule in RULES.items()},
}
"""Every rule: its name, and what it asks for."""


class SettingsError(pulumi.RunError):
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


def load() -> Settings:
    """The settings of the stack that runs. Raises SettingsError."""
    config = pulumi.Config(NAMESPACE)
    prefix = f"{NAMESPACE}:"
    # Config gives values by name only; unknown names are found in what the engine handed over.
    everything = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    given = {key.removeprefix(prefix): str(value) for key, value in everything.items() if key.startswith(prefix)}
    # is_config_secret() knows what an embedding program said, and not what the engine put into the environment.
    secret_keys = set(pulumi.runtime.get_config_secret_keys_env())
    hidden = {
        name: text
        for name, text in given.items()
        if config.full_key(name) in secret_keys or pulumi.runtime.is_config_secret(config.full_key(name))
    }
    stack_file = Path(f"Pulumi.{pulumi.get_stack()}.yaml")
    paths = secrets.secret_paths(hidden, stack_file, NAMESPACE)
    try:
        return parse(given, secret_paths=paths)
    except SettingsError as error:
        if [problem.rule for problem in error.problems] != ["rock_has_a_digest"]:
            raise
        settings = parse(given, secret_paths=paths, without_rules=["rock_has_a_digest"])
        raise SettingsError([_with_digest(error.problems[0], settings)]) from None


def _with_digest(problem: Problem, settings: Settings) -> Problem:
    """The problem that a digest is missing, with the one to pin: nothing else stands in the way, so it is looked up."""
    digest = rock_download.found_digest(settings.plugin)
    if digest is None:
        return problem
    return dataclasses.replace(
        problem,
        mend=f"{config_set('plugin.sha256', digest)} (what is there now; compare it with what others see)",
    )


def parse(
    given: Mapping[str, str],
    *,
    secret_paths: Collection[SecretPath] = (),
    without_rules: Collection[str] = (),
) -> Settings:
    """Settings of what the engine hands over: `{key: text}`, objects as JSON. Pure.

    `secret_paths` says which leaves are secret, `("agentToken",)` or `("kongValues", "env", "password")`; a path to an
    object means all that is in it. `without_rules` leaves rules out, for the tests. Raises SettingsError.
    """
    raw, problems = read(given)
    raw = {key: secrets.hide(value, (key,), secret_paths) for key, value in raw.items()}
    misplaced = secrets.take_misplaced(raw)
    taken = {problem.key for problem in misplaced}
    problems += misplaced
    settings, wrong = validated(raw)
    problems += [problem for problem in wrong if problem.key not in taken]

    broken = {_top(problem) for problem in problems}
    problems += [problem for problem in secrets.plain_credentials(raw) if _top(problem) not in broken]
    problems += _found_by_rules(settings, without_rules, broken)
    problems = [problem for problem in problems if problem.rule not in without_rules]
    if problems:
        raise SettingsError(problems)
    guard = settings.tme_guard or ("deny" if settings.fail_mode == "closed" else "warn")
    if settings.agent.url is not None:
        guard = "off"  # No TME, whatever the mode is going to be: there is nothing to guard.
    return settings.model_copy(update={"tme_guard": guard})


def _top(problem: Problem) -> str:
    return problem.key.split(".")[0].split("[")[0]


def _found_by_rules(settings: Settings, without_rules: Collection[str], broken: Collection[str]) -> Iterator[Problem]:
    for name, rule in RULES.items():
        if name not in without_rules:
            watched = _Watched(settings)
            found = list(rule(cast(Settings, watched)))
            if not settings.gateway and name != no_gateway.__name__:
                # What is not there at all is not judged by what it would have to be.
                found = [problem for problem in found if _top(problem) in OF_THE_AGENT]
            # What is broken stands at its default here, and a rule that has read it has judged what nobody wrote.
            if not watched.read & set(broken):
                yield from (dataclasses.replace(problem, rule=name) for problem in found)


class _Watched:
    """Settings that remember which keys were read."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        field = Settings.model_fields.get(name)
        if field is not None and field.alias is not None:
            self.read.add(field.alias)
        return getattr(self.settings, name)
