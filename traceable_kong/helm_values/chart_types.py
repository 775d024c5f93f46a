"""Chart values of another type than the chart has."""

from collections.abc import Iterable, Mapping
from typing import Any

from traceable_kong.common.commands import config_remove
from traceable_kong.common.nested_data import Values, value_at, without
from traceable_kong.config.config_problem import Problem, path_of, shown


def well_typed(
    user_values: Mapping[str, Any], key: str, *, objects: Iterable[str], lists: Iterable[str] = ()
) -> tuple[Values, list[Problem]]:
    """The values without those that are no object or no list where the chart has one, and the problems with these.

    `key` is that of the values in the stack file; the paths are such as "admin.http".
    """
    values: Values = dict(user_values)
    problems: list[Problem] = []
    for paths, expected, name in ((objects, Mapping, "an object"), (lists, list, "a list")):
        for path in paths:
            found = value_at(values, path)
            if found is None or isinstance(found, expected):
                continue
            where = path_of(key, *path.split("."))
            problem = f"is {shown(found)}, but the chart expects {name}"
            problems.append(
                Problem(where, problem, f"{config_remove(where)} (helm show values CHART prints what the chart takes)")
            )
            values = without(values, path)
    return values, problems
