"""The bodies of Kong's error responses, as in `kong/db/errors.lua` of Kong 3.9."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]

_SCHEMA_VIOLATION = 2
_PRIMARY_KEY_VIOLATION = 3
_FOREIGN_KEY_VIOLATION = 4
_UNIQUE_VIOLATION = 5
_NOT_FOUND = 6
_INVALID_OFFSET = 7
_INVALID_SIZE = 9
_INVALID_OPTIONS = 11
_OPERATION_UNSUPPORTED = 12
_FOREIGN_KEYS_UNRESOLVED = 13
_DECLARATIVE_CONFIG = 14


def schema_violation(problems: Mapping[str, Any]) -> Json:
    """400: an entity does not match its schema."""
    texts = list(problems.get("@entity", []))
    for name in sorted(item for item in problems if item != "@entity"):
        value = problems[name]
        if isinstance(value, Mapping):
            texts += [f"{name}.{key}: {_pretty(value[key])}" for key in sorted(value, key=str)]
        else:
            texts.append(f"{name}: {value}")
    counted = "schema violation" if len(texts) == 1 else f"{len(texts)} schema violations"
    return {
        "code": _SCHEMA_VIOLATION,
        "name": "schema violation",
        "message": f"{counted} ({'; '.join(texts)})",
        "fields": dict(problems),
    }


def primary_key_violation(key: Json) -> Json:
    """400: another entity has this id."""
    message = f"primary key violation on key '{_pretty(key, indent='')}'"
    return _error(_PRIMARY_KEY_VIOLATION, "primary key violation", message, key)


def unique_violation(keys: Json) -> Json:
    """409: another entity has these values."""
    message = f"UNIQUE violation detected on '{_pretty(keys, indent='')}'"
    return _error(_UNIQUE_VIOLATION, "unique constraint violation", message, keys)


def foreign_key_missing(field: str, key: Json, kind: str) -> Json:
    """400: the entity refers to an id that does not exist."""
    message = f"the foreign key '{_pretty(key, indent='')}' does not reference an existing '{kind}' entity."
    return _error(_FOREIGN_KEY_VIOLATION, "foreign key violation", message, {field: key})


def foreign_key_restricted(kind: str, referring: str) -> Json:
    """400: the entity cannot be deleted because another one refers to it."""
    message = f"an existing '{referring}' entity references this '{kind}' entity"
    return _error(_FOREIGN_KEY_VIOLATION, "foreign key violation", message, {"@referenced_by": referring})


def foreign_key_unresolved(field: str, key: Json, kind: str) -> Json:
    """400: the entity refers to a name that does not exist."""
    texts = {
        name: f"the foreign key cannot be resolved with '{_pretty({name: value}, indent='')}' "
        f"for an existing '{kind}' entity"
        for name, value in key.items()
    }
    (name,) = texts
    message = f"foreign key unresolved ({field}.{name}: {texts[name]})"
    return _error(_FOREIGN_KEYS_UNRESOLVED, "foreign keys unresolved", message, {field: texts})


def not_found(key: Json) -> Json:
    """404: the entity to change does not exist."""
    by_id = list(key) == ["id"]
    message = f"could not find the entity with {'primary key ' if by_id else ''}'{_pretty(key, indent='')}'"
    return _error(_NOT_FOUND, "not found", message, key)


def invalid_size(text: str) -> Json:
    """400: the size of a page is invalid."""
    return _error(_INVALID_SIZE, "invalid size", text)


def invalid_offset(offset: str, text: str) -> Json:
    """400: the offset of a page is invalid."""
    return _error(_INVALID_OFFSET, "invalid offset", f"'{offset}' is not a valid offset: {text}")


def invalid_tags(text: str) -> Json:
    """400: the tags of a query are invalid."""
    answer = _error(_INVALID_OPTIONS, "invalid options", f"invalid option (tags: {text})")
    return {**answer, "options": {"tags": text}}


def unsupported(text: str) -> Json:
    """405: a node without a database cannot do this."""
    return _error(_OPERATION_UNSUPPORTED, "operation unsupported", text)


def _error(code: int, name: str, message: str, fields: Json | None = None) -> Json:
    return {"code": code, "name": name, "message": message, **({} if fields is None else {"fields": fields})}


def declarative_config(fields: Mapping[str, Any], flattened: list[Json] | None) -> Json:
    """400 of `POST /config`.

    If `flattened` is given, it has the errors of entities, and `fields` all other errors.
    """
    answer: Json = {
        "code": _DECLARATIVE_CONFIG,
        "name": "invalid declarative configuration",
        "message": f"declarative config is invalid: {_pretty(fields, indent='')}",
        "fields": dict(fields),
    }
    if flattened is not None:
        answer["flattened_errors"] = flattened
    return answer


def flattened(entity_type: str, entity: Json, problems: Mapping[str, Any]) -> Json:
    """Returns the errors of one entity as a flat list."""
    entry: Json = {"entity_type": entity_type, "entity": entity, "errors": list(_lines(problems))}
    if isinstance(entity.get("name"), str) and entity["name"]:
        entry["entity_name"] = entity["name"]
    if re.fullmatch(r"[0-9a-fA-F-]{36}", str(entity.get("id"))):
        entry["entity_id"] = entity["id"]
    if isinstance(entity.get("tags"), list) and all(isinstance(tag, str) for tag in entity["tags"]):
        entry["entity_tags"] = entity["tags"]
    return entry


def _lines(problems: Mapping[Any, Any], path: str = "") -> Iterator[Json]:
    for name in sorted(problems, key=str):
        value = problems[name]
        if name == "@entity":
            yield from ({"type": "entity", "message": text} for text in value)
            continue
        where = f"{path}.{name}" if path else str(name)
        if isinstance(value, Mapping):
            yield from _lines(value, where)
        else:
            yield {"type": "field", "field": where, "message": value}


def _pretty(value: Any, indent: str = "  ", depth: int = 1) -> str:
    """Formats a table like Penlight's `pretty.write`
    (https://lunarmodules.github.io/Penlight/libraries/pl.pretty.html).
    """
    if not isinstance(value, Mapping):
        if value is None:
            return "null"
        return str(value) if depth == 1 else f'"{value}"'
    line, inner = ("\n" if indent else ""), indent * depth
    entries = [
        f"{inner}{'' if isinstance(key, int) else _key(str(key)) + ('=' if not indent else ' = ')}"
        f"{_pretty(value[key], indent, depth + 1)}"
        for key in sorted(value, key=str)
    ]
    return "{" + line + ("," + line).join(entries) + line + indent * (depth - 1) + "}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f'["{name}"]'
