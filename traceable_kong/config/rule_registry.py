"""The rules between keys: how one is registered, and when it applies.

A rule is a function whose parameters name parts of the config, such as `kong: ManagedKongConfig` and `mode: str`. It
runs where the stack has these parts, in these variants.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterator
from typing import Any, get_type_hints

from traceable_kong.common.nested_data import revealed
from traceable_kong.config.config_layout import Path, models_in
from traceable_kong.config.config_problem import Problem
from traceable_kong.config.config_types import Part
from traceable_kong.config.stack_config import FREE_FORM, StackConfig

Rule = Callable[..., Iterator[Problem]]

RULES: dict[str, Rule] = {}
"""Every rule between keys, by its name; its docstring says what it asks for."""


def rule(function: Rule) -> Rule:
    """Registers a rule under its function's name."""
    RULES[function.__name__] = function
    return function


def found_by_rules(config: StackConfig, broken: Collection[Path], without: Collection[str]) -> Iterator[Problem]:
    """What the rules find.

    `broken` are the paths of values that were invalid and have their default instead. A rule that read one of them
    judged a value that is not in the stack file, so its problems are dropped. `without` names rules to skip.
    """
    for name, function in RULES.items():
        reads: set[Path] = set()
        arguments = _arguments(function, _Tracked(config, (), reads))
        if name in without or arguments is None:
            continue
        found = [dataclasses.replace(problem, rule=name) for problem in function(**arguments)]
        if not any(read[: len(path)] == path for read in reads for path in broken):
            yield from found


def _arguments(function: Rule, config: "_Tracked") -> dict[str, Any] | None:
    """The parts that the rule names; None where the stack does not have them in these variants."""
    found = {}
    for name, hint in get_type_hints(function).items():
        if name == "return":
            continue
        if not hasattr(config, name):
            return None
        found[name] = getattr(config, name)
        models = models_in(hint)
        if models and not isinstance(found[name], models):
            return None
    return found


class _Tracked:
    """An object of the config that records the paths of the keys that are read."""

    def __init__(self, part: Part, path: Path, reads: set[Path]) -> None:
        self._part, self._path, self._reads = part, path, reads

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """The class of the object, for isinstance()."""
        return type(self._part)

    def __getattr__(self, name: str) -> Any:
        member = getattr(type(self._part), name, None)
        if isinstance(member, property) and member.fget:
            return member.fget(self)
        value = getattr(self._part, name)
        field = type(self._part).model_fields.get(name)
        if field is None:
            return value
        path = (*self._path, str(field.alias))
        self._reads.add(path)
        if isinstance(value, Part):
            return _Tracked(value, path, self._reads)
        # A rule judges what the chart will get.
        return revealed(value) if path[-1] in FREE_FORM else value
