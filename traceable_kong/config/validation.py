"""Turns the texts of a stack file into the config's classes; what is invalid has its default."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from traceable_kong.common.foreign_documents import UnreadableDocument, json_document
from traceable_kong.config.config_layout import (
    KNOWN_KEYS,
    SELECTORS,
    InvalidValue,
    Path,
    flat_keys_inside,
    invalid_value,
    models_in,
    nested,
    nested_path,
    stack_file_fields,
    stack_file_path,
)
from traceable_kong.config.config_problem import Problem, path_of
from traceable_kong.config.stack_config import StackConfig, stack_variant
from traceable_kong.config.value_rules import problem_of, unknown_key

MAX_DEPTH = 40

_PLACEHOLDERS: dict[Path, Any] = {
    ("kong", "postgres", "host"): "none",
    ("kong", "postgres", "passwordSecret"): {"name": "none", "key": "none"},
    ("kong", "postgres"): {"host": "none", "passwordSecret": {"name": "none", "key": "none"}},
}
"""Values for what is required, so that the rules can judge the rest of a config that lacks it."""


def read(given: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem], set[Path]]:
    """`{key: value}` of `{key: text}`, where objects and lists come as JSON; what could not be read, and its paths."""
    structured = {
        key: "a list" if any(_is_list(field.annotation) for field in fields) else "an object"
        for key, fields in stack_file_fields().items()
        if any(_is_structured(field.annotation) for field in fields)
    }
    raw: dict[str, Any] = {}
    problems = []
    for key, text in given.items():
        if key not in structured:
            raw[key] = text
            continue
        try:
            raw[key] = _structure(text)
        except UnreadableDocument:
            problems.append(
                Problem(
                    path_of(key),
                    f"is nested more than {MAX_DEPTH} deep",
                    f"make it flatter in Pulumi.<stack>.yaml, below traceable-kong:{key}:",
                    "structure",
                )
            )
        except ValueError:
            problems.append(
                Problem(
                    path_of(key),
                    f"must be {structured[key]}",
                    f"write {structured[key]} in Pulumi.<stack>.yaml, indented below traceable-kong:{key}:",
                    "structure",
                )
            )
    return raw, problems, {nested_path((key,)) for key in given if key not in raw}


def _structure(text: str) -> Any:
    """Raises UnreadableDocument for what is too deep, another ValueError for what is neither object nor list."""
    value = json_document(text)
    if not isinstance(value, dict | list):
        raise ValueError
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    if level:
        raise UnreadableDocument
    return value


def _is_structured(annotation: Any) -> bool:
    """True for objects, free-form maps and lists."""
    return bool(models_in(annotation)) or _is_list(annotation) or dict in _origins(annotation)


def _is_list(annotation: Any) -> bool:
    return tuple in _origins(annotation)


def _origins(annotation: Any) -> set[Any]:
    return {get_origin(option) for option in (annotation, *get_args(annotation))}


def validated(raw: Mapping[str, Any], broken: Collection[Path]) -> tuple[StackConfig, dict[Path, Problem], set[Path]]:
    """The config, the problems with single values by their path in the config, and the paths that have their default.

    `broken` are the paths of values that were found to be invalid before, and are not in `raw`.
    """
    stack = stack_variant(raw)
    values = nested(raw, stack)
    problems: dict[Path, Problem] = {
        path: unknown_key(path_of(*path), f"did you mean {path_of(*path[1:])}?") for path in flat_keys_inside(raw)
    }
    try:
        return stack.model_validate(values, by_name=False, by_alias=True), problems, set()
    except ValidationError as error:
        invalid = [invalid_value(stack, detail) for detail in error.errors(include_url=False)]
    selecting = [item for item in invalid if item.path in SELECTORS and item.detail["type"] != "extra_forbidden"]
    undecided = {path[:-1] for path in broken if path in SELECTORS}
    undecided |= {item.path[:-1] for item in selecting if item.detail["input"] is not False}
    unusable = undecided | {item.path[:-1] for item in selecting}
    above = {item.path[:-1] for item in invalid}
    for item in invalid:
        # Pydantic does not count the entries of a list that are invalid themselves.
        if item.detail["type"] == "too_short" and item.path in above:
            continue
        # In an object that could be of either variant, no key belongs to another one.
        if not (item.path[:-1] in undecided and _depends_on_variant(item)):
            # Two places in an annotation can find the same.
            problems.setdefault(item.path, problem_of(item, raw))
    defaults = {path or ("gateway",) for path in unusable}
    defaults |= {defaulted(item.path) for item in invalid if item.detail["type"] != "extra_forbidden"}
    for path in sorted(defaults, key=len):
        _set_to_default(values, path)
    for item in invalid:
        if item.detail["type"] == "extra_forbidden":
            _remove(values, item.path)
    return stack.model_validate(values, by_name=False, by_alias=True), problems, defaults | unusable


def _depends_on_variant(item: InvalidValue) -> bool:
    return item.detail["type"] in ("extra_forbidden", "missing") and stack_file_path(item.path) in KNOWN_KEYS


def defaulted(path: Path) -> Path:
    """The path of the value that gets its default for an invalid one: a whole list, a whole reference to a Secret."""
    numbers = [index for index, part in enumerate(path) if isinstance(part, int)]
    path = path[: numbers[0]] if numbers else path
    return path[:-1] if len(path) > 1 and str(path[-2]).endswith("Secret") else path


def _set_to_default(values: dict[str, Any], path: Path) -> None:
    parent = _remove(values, path)
    if parent is not None and path in _PLACEHOLDERS:
        parent[path[-1]] = deepcopy(_PLACEHOLDERS[path])


def _remove(values: dict[str, Any], path: Path) -> dict[Any, Any] | None:
    """Takes a value out. Returns the object that it was in, None where there is none."""
    parent: Any = values
    for part in path[:-1]:
        parent = parent.get(part) if isinstance(parent, dict) else None
    if not isinstance(parent, dict):
        return None
    parent.pop(path[-1], None)
    return parent
