"""Makes the config of what a stack file says. All problems are reported at once, before anything is changed."""

from collections.abc import Collection, Iterable, Mapping

from traceable_kong.common.safe_text import PlainError
from traceable_kong.common.secret_texts import secret_texts
from traceable_kong.config.config_layout import nested_path
from traceable_kong.config.config_problem import Problem, without_secrets
from traceable_kong.config.rule_registry import RULES, found_by_rules

# Importing the rules registers them.
from traceable_kong.config.rules import (  # noqa: F401
    admin_api_rules,
    agent_rules,
    chart_rules,
    chart_value_rules,
    database_rules,
    plugin_rules,
    stack_rules,
)
from traceable_kong.config.secret_values import SECRET_RULES, SecretPath, hide, plain_credentials, take_misplaced
from traceable_kong.config.stack_config import StackConfig
from traceable_kong.config.validation import defaulted, read, validated
from traceable_kong.config.value_rules import VALUE_RULES

NAMESPACE = "traceable-kong"

ALL_RULES: Mapping[str, str] = {
    **VALUE_RULES,
    **SECRET_RULES,
    **{name: (rule.__doc__ or "").strip() for name, rule in RULES.items()},
}
"""Every rule: its name, and what it asks for."""


_MOST_SHOWN = 50
_LONGEST_LINE = 1_000
"""Of a message; only a value that is not meant seriously is longer."""


class ConfigError(PlainError):
    """The config is invalid; the text lists every problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = [f"The stack's config has {count}. Nothing was changed."]
        for problem in self.problems[:_MOST_SHOWN]:
            lines += [
                "",
                f"  {'' if problem.key.startswith('kubernetes:') else f'{NAMESPACE}:'}{_cut(problem.key)}",
                f"    {_cut(problem.problem)}{'' if problem.problem.endswith('?') else '.'}",
                f"    -> {_cut(problem.fix)}",
            ]
        if len(self.problems) > _MOST_SHOWN:
            lines += ["", f"  and {len(self.problems) - _MOST_SHOWN} more"]
        super().__init__(*lines)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}..."


def parse(
    given: Mapping[str, str],
    *,
    secret_paths: Collection[SecretPath] = (),
    without_rules: Collection[str] = (),
) -> StackConfig:
    """The config of what the engine hands over: `{key: text}`, objects as JSON. Pure.

    `secret_paths` says which leaves are secret, `("agentToken",)` or `("kongValues", "env", "password")`; a path to an
    object means everything in it. `without_rules` are names of rules to leave out. Raises ConfigError.
    """
    raw, problems, broken = read(given)
    raw = hide(raw, secret_paths)
    secrets = secret_texts(raw)
    misplaced = take_misplaced(raw, secret_paths)
    broken |= {nested_path(path) for path in misplaced}
    config, invalid, defaults = validated(raw, broken)
    # A secret that was taken out can be missing now.
    invalid = {path: problem for path, problem in invalid.items() if path not in broken}
    problems += [*misplaced.values(), *invalid.values(), *plain_credentials(raw)]
    problems += found_by_rules(config, broken={*map(defaulted, broken), *defaults}, without=without_rules)
    problems = [problem for problem in problems if problem.rule not in without_rules]
    if problems:
        raise ConfigError(without_secrets(problem, secrets) for problem in problems)
    return config
