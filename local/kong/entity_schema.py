"""Validates values against a Kong schema and fills in defaults, with Kong's error messages.

Based on https://github.com/Kong/kong/blob/3.9.1/kong/db/schema/init.lua: types, field validators, and the entity checks
that need no Lua. Shorthand fields, transformations, and `conditional` and custom entity checks are not supported:
values that only they reject are accepted.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from local.kong.plugin_loader import NULL, named

UNKNOWN = "unknown field"
REQUIRED = "required field missing"

Errors = Any
"""A message, or `{field: errors}`, or for lists `{index from 1: errors}`."""


def with_defaults(fields: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `value` with the defaults of `fields`. An optional field without a default is null, as in Kong."""
    result = dict(value)
    for name, field in fields.items():
        if name not in result:
            result[name] = _missing(field)
        elif field.get("type") == "record" and isinstance(result[name], dict):
            result[name] = with_defaults(named(field.get("fields")), result[name])
    return {name: item for name, item in result.items() if item is not _ABSENT}


def validation_errors(fields: Mapping[str, Any], value: Mapping[str, Any], checks: Any = None) -> dict[str, Errors]:
    """Returns the errors of a record with defaults, by field. Empty if it is valid."""
    found: dict[str, Errors] = {}
    for name, item in value.items():
        problem = _field_problem(fields[name], item) if name in fields else UNKNOWN
        if problem:
            found[name] = problem
    for name, field in fields.items():
        if field.get("required") and value.get(name) is None:
            found[name] = REQUIRED
    entity = [text for check in checks or [] for text in _entity_problem(check, value)]
    if entity:
        found["@entity"] = entity
    return found


def merge(fields: Mapping[str, Any], top: Mapping[str, Any], bottom: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `top` merged into `bottom`: records by field, all other values as a whole."""
    result = {**bottom, **top}
    for name, field in fields.items():
        above, below = top.get(name), bottom.get(name)
        if field.get("type") == "record" and isinstance(above, dict) and isinstance(below, dict):
            result[name] = merge(named(field.get("fields")), above, below)
    return result


def to_response(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the fields as the Admin API shows a schema."""
    return [{name: jsonable(field)} for name, field in fields.items()]


def jsonable(value: Any) -> Any:
    """Returns a definition without its functions."""
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items() if not callable(item)}
    if isinstance(value, list):
        return [jsonable(item) for item in value if not callable(item)]
    return None if value is NULL else value


_ABSENT = object()


def _missing(field: Mapping[str, Any]) -> Any:
    if "default" in field:
        default = field["default"]
        if default == {} and field.get("type") in ("array", "set"):
            return []
        return None if default is NULL else default
    if not field.get("required"):
        return None
    if field.get("type") == "record":
        return with_defaults(named(field.get("fields")), {})
    return _ABSENT


def _field_problem(field: Mapping[str, Any], value: Any) -> Errors:
    if value is None:
        return _null_problem(field)
    kind = field.get("type", "any")
    problem = _TYPES[kind](field, value) if kind in _TYPES else f"invalid type: {kind}"
    if problem:
        return problem
    for name, check in _VALIDATORS.items():
        if name in field and (problem := check(field[name], value)):
            return field.get("err") or problem
    if kind == "string" and "len_min" not in field and value == "":
        return "length must be at least 1"
    return None


def _null_problem(field: Mapping[str, Any]) -> Errors:
    if field.get("ne") is NULL:
        return field.get("err") or "value must not be null"
    if "eq" in field and field["eq"] is not NULL:
        return f"value must be {_text(field['eq'])}"
    return REQUIRED if field.get("required") else None


def _elements(expected: str) -> Callable[[Mapping[str, Any], Any], Errors]:
    def check(field: Mapping[str, Any], value: Any) -> Errors:
        if not isinstance(value, list) and value != {}:
            return expected
        element = {**field.get("elements", {}), "required": True}
        found = {index: _field_problem(element, item) for index, item in enumerate(value, start=1)}
        return {index: problem for index, problem in found.items() if problem}

    return check


def _map(field: Mapping[str, Any], value: Any) -> Errors:
    if not isinstance(value, dict | list):
        return "expected a map"
    for key, item in value.items() if isinstance(value, dict) else enumerate(value, start=1):
        problem = _field_problem({**field.get("keys", {}), "required": True}, key)
        problem = problem or _field_problem({**field.get("values", {}), "required": True}, item)
        if problem:
            return problem
    return None


def _record(field: Mapping[str, Any], value: Any) -> Errors:
    if not isinstance(value, dict) and value != []:
        return "expected a record"
    fields = named(field.get("fields"))
    return validation_errors(fields, with_defaults(fields, dict(value)), field.get("entity_checks"))


def _is(types: type | tuple[type, ...], expected: str) -> Callable[[Mapping[str, Any], Any], Errors]:
    def check(field: Mapping[str, Any], value: Any) -> Errors:
        fits = isinstance(value, types) and (types is bool or not isinstance(value, bool))
        return None if fits else expected

    return check


def _integer(field: Mapping[str, Any], value: Any) -> Errors:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    return None if whole else "expected an integer"


def _anything(field: Mapping[str, Any], value: Any) -> Errors:
    return None


_TYPES: dict[str, Callable[[Mapping[str, Any], Any], Errors]] = {
    "array": _elements("expected an array"),
    "set": _elements("expected a set"),
    "map": _map,
    "record": _record,
    "string": _is(str, "expected a string"),
    "number": _is((int, float), "expected a number"),
    "boolean": _is(bool, "expected a boolean"),
    "integer": _integer,
    "foreign": _anything,
    "json": _anything,
    "any": _anything,
}


def _length(fits: Callable[[int, int], bool], text: str) -> Callable[[Any, Any], str | None]:
    return lambda wanted, value: None if fits(len(value), wanted) else text % wanted


def _one_of(options: Any, value: Any) -> str | None:
    return None if value in options else "expected one of: " + ", ".join(_text(item) for item in options)


def _not_one_of(options: Any, value: Any) -> str | None:
    return "must not be one of: " + ", ".join(_text(item) for item in options) if value in options else None


def _between(limits: Any, value: Any) -> str | None:
    low, high = limits
    return None if low <= value <= high else f"value should be between {int(low)} and {int(high)}"


def _match_none(patterns: Any, value: str) -> str | None:
    return next((entry["err"] for entry in patterns if _lua_match(entry["pattern"], value)), None)


def _custom(validator: Any, value: Any) -> str | None:
    fine, message = validator(value)
    return None if fine else message or f"failed validating: {_text(value)}"


def is_uuid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", text, re.IGNORECASE) is not None


def _uuid(wanted: Any, value: str) -> str | None:
    return None if is_uuid(value) else "expected a valid UUID"


_VALIDATORS: dict[str, Callable[[Any, Any], str | None]] = {
    "eq": lambda wanted, value: None if value == wanted else f"value must be {_text(wanted)}",
    "ne": lambda wanted, value: None if value != wanted else f"value must not be {_text(value)}",
    "not_one_of": _not_one_of,
    "one_of": _one_of,
    "gt": lambda limit, value: None if value > limit else f"value must be greater than {_text(limit)}",
    "uuid": _uuid,
    "between": _between,
    "len_eq": _length(int.__eq__, "length must be %d"),
    "len_min": _length(int.__ge__, "length must be at least %d"),
    "len_max": _length(int.__le__, "length must be at most %d"),
    "starts_with": lambda start, value: None if value.startswith(start) else f"should start with: {start}",
    "not_match": lambda pattern, value: f"invalid value: {value}" if _lua_match(pattern, value) else None,
    "match_none": _match_none,
    "match": lambda pattern, value: None if _lua_match(pattern, value) else f"invalid value: {value}",
    "contains": lambda wanted, value: None if wanted in value else f"expected to contain: {_text(wanted)}",
    "custom_validator": _custom,
}
"""In the order in which Kong runs them."""


def _lua_match(pattern: str, value: str) -> bool:
    """Matches a Lua pattern (https://www.lua.org/manual/5.1/manual.html#5.4.1), translated to a regular expression."""
    classes = {"a": "A-Za-z", "d": "0-9", "l": "a-z", "u": "A-Z", "w": "A-Za-z0-9", "s": r"\s", "x": "0-9A-Fa-f"}

    def translated(found: re.Match[str]) -> str:
        inside_set = pattern[: found.start()].count("[") > pattern[: found.start()].count("]")
        if found[1] in classes:
            return classes[found[1]] if inside_set else f"[{classes[found[1]]}]"
        return re.escape(found[1])

    return re.search(re.sub(r"%(.)", translated, pattern), value) is not None


def _entity_problem(check: Any, value: Mapping[str, Any]) -> list[str]:
    found = []
    for name, names in check.items():
        if name not in _ENTITY_CHECKS or not isinstance(names, list):
            continue
        given = sum(value.get(item) not in (None, "", [], {}) for item in names)
        fits, text = _ENTITY_CHECKS[name]
        if not fits(given, len(names)):
            found.append(text % ", ".join(f"'{item}'" for item in names))
    return found


_ENTITY_CHECKS: dict[str, tuple[Callable[[int, int], bool], str]] = {
    "at_least_one_of": (lambda given, of: given > 0, "at least one of these fields must be non-empty: %s"),
    "only_one_of": (lambda given, of: given == 1, "exactly one of these fields must be non-empty: %s"),
    "mutually_required": (lambda given, of: given in (0, of), "all or none of these fields must be set: %s"),
    "mutually_exclusive": (lambda given, of: given < 2, "only one or none of these fields must be set: %s"),
}


def _tag(value: str) -> tuple[bool, str | None]:
    fits = re.fullmatch("[ -+\\-.0-~\x80-\U0010ffff]+", value)
    expected = "expected printable ascii (except `,` and `/`) or valid utf-8 sequences"
    return bool(fits), None if fits else f"invalid tag '{value}': {expected}"


TAGS = {"type": "set", "elements": {"type": "string", "custom_validator": _tag}}
"""The field `tags` of every entity (`kong/db/schema/typedefs.lua`)."""


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "null" if value in (None, NULL) else str(value)
