"""The changes between a live object and new inputs, as property paths. No side effects.

The live object is first pruned to the shape of the old inputs, so that fields which the server or other controllers
have set are not changes. Lists are compared by position, as in the official plugin (`convertPatchToDiff` in
provider/pkg/provider/provider.go).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from local.provider.property_values import UNKNOWN

Step = str | int
Path = tuple[Step, ...]


class Change(Enum):
    """The type of a property's change."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True)
class PropertyChange:
    """One changed property. `replace` is True if it cannot be changed in place."""

    change: Change
    replace: bool


Changes = dict[str, PropertyChange]

_ABSENT = object()


def prune(live: Any, shape: Any) -> Any:
    """Returns the parts of a live object that the shape has too. If the types differ, the live value is unchanged."""
    if isinstance(live, Mapping) and isinstance(shape, Mapping):
        return {key: prune(value, shape[key]) for key, value in live.items() if key in shape}
    if isinstance(live, list) and isinstance(shape, list):
        return [prune(value, item) for value, item in zip(live, shape, strict=False)]
    return live


def compare(old: Mapping[str, Any], new: Mapping[str, Any], force_new: Iterable[str] = ()) -> Changes:
    """Returns the changes from a pruned live object to the new inputs, by path."""
    changes: Changes = {}
    patterns = [parse(each) for each in force_new]
    _compare_maps((), old, new, patterns, changes)
    return changes


def compare_three_ways(
    state: Mapping[str, Any], new: Mapping[str, Any], old_inputs: Mapping[str, Any], force_new: Iterable[str] = ()
) -> Changes:
    """Returns the changes of a Helm release: new inputs against the state, deletions against the old inputs.

    A three-way merge (`CreateThreeWayMergePatch` in provider/pkg/provider/helm_release.go): a value that only the state
    has, for example one that Helm has set, is not a change.
    """
    changes: Changes = {}
    patterns = [parse(each) for each in force_new]
    _compare_three_maps((), state, new, old_inputs, patterns, changes)
    return changes


def without(changes: Changes, ignored: Iterable[str]) -> Changes:
    """Returns the changes except those at or below an ignored path."""
    paths = [parse(each) for each in ignored]
    return {
        path: change for path, change in changes.items() if not any(_contains(ignore, parse(path)) for ignore in paths)
    }


def _compare_three_maps(
    path: Path,
    state: Mapping[str, Any],
    new: Mapping[str, Any],
    old_inputs: Mapping[str, Any],
    patterns: Sequence[Path],
    changes: Changes,
) -> None:
    for key, value in new.items():
        place, current, before = (*path, key), state.get(key, _ABSENT), old_inputs.get(key, _ABSENT)
        if isinstance(value, Mapping) and isinstance(current, Mapping):
            inner = before if isinstance(before, Mapping) else {}
            _compare_three_maps(place, current, value, inner, patterns, changes)
        elif current is _ABSENT and value is None:
            continue
        else:
            _compare_values(place, current, value, patterns, changes)
    for key in old_inputs:
        if key not in new:
            _record((*path, key), Change.DELETE, None, patterns, changes)


def _compare_maps(
    path: Path, old: Mapping[str, Any], new: Mapping[str, Any], patterns: Sequence[Path], changes: Changes
) -> None:
    for key, value in new.items():
        before = old.get(key, _ABSENT)
        if before is _ABSENT and value is None:
            continue
        _compare_values((*path, key), before, value, patterns, changes)
    for key in old:
        if key not in new:
            _record((*path, key), Change.DELETE, None, patterns, changes)


def _compare_values(path: Path, old: Any, new: Any, patterns: Sequence[Path], changes: Changes) -> None:
    if old is _ABSENT:
        _record(path, Change.ADD, None if new is UNKNOWN else new, patterns, changes)
    elif new is UNKNOWN:
        _record(path, Change.UPDATE, None, patterns, changes)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        _compare_maps(path, old, new, patterns, changes)
    elif isinstance(old, list) and isinstance(new, list):
        for place in range(max(len(old), len(new))):
            if place >= len(new):
                _record((*path, place), Change.DELETE, None, patterns, changes)
            else:
                before = old[place] if place < len(old) else _ABSENT
                _compare_values((*path, place), before, new[place], patterns, changes)
    elif new is None:
        if old is not None:
            _record(path, Change.DELETE, None, patterns, changes)
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        _record(path, Change.UPDATE, new, patterns, changes)


def _record(path: Path, change: Change, value: Any, patterns: Sequence[Path], changes: Changes) -> None:
    changes[render(path)] = PropertyChange(change, any(_touches(path, value, pattern) for pattern in patterns))


def _touches(path: Path, value: Any, pattern: Path) -> bool:
    """Returns True if a value at a path includes what the pattern names."""
    for place, wanted in enumerate(pattern):
        if place < len(path):
            step = path[place]
            if not (wanted == "*" if isinstance(step, int) else wanted == step):
                return False
        elif wanted == "*":
            return isinstance(value, list) and any(_touches((*path, 0), item, pattern) for item in value)
        elif isinstance(value, Mapping) and wanted in value:
            value = value[wanted]
            path = (*path, str(wanted))
        else:
            return False
    return True


def render(path: Path) -> str:
    """Formats a path as the engine does: `spec.template.spec.containers[0].image`, `metadata.labels["a.b/c"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.search(r'[."\[\]]', step):
            escaped = step.replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{step}" if text else step
    return text


_STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|\.?([^.\[\]]+)')


def parse(path: str) -> Path:
    """Splits a path into steps. `*` stays as it is."""
    steps: list[Step] = []
    for quoted, number, name in _STEP.findall(path):
        if number:
            steps.append(int(number) if number != "*" else "*")
        else:
            steps.append(name or quoted.replace('\\"', '"'))
    return tuple(steps)


def _contains(outer: Path, inner: Path) -> bool:
    return len(outer) <= len(inner) and all(one in ("*", other) for one, other in zip(outer, inner, strict=False))
