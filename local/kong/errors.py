"""The bodies of Kong's refusals, as `kong/db/errors.lua` of 3.9 puts them together."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]

_SCHEMA_VIOLATION = 2
_DECLARATIVE_CONFIG = 14


def schema_violation(problems: Mapping[str, Any]) -> Json:
    """What the Admin API answers (400) for one entity."""
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


def declarative_config(fields: Mapping[str, Any], flattened: list[Json] | None) -> Json:
    """What `POST /config` answers (400): `flattened` where it was asked for, and then only the rest in `fields`."""
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
    """One entity's errors in a line each."""
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
    """A table as Penlight's `pretty.write` shows it (https://lunarmodules.github.io/Penlight/libraries/pl.pretty.html)."""
    if not isinstance(value, Mapping):
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
