"""Kong's schema of a plugin, and where an entity differs from what this stack sets and from Kong's defaults.

Kong stores and shows a plugin entity with all its defaults. `/schemas/plugins` has the fields of every plugin,
`/schemas/plugins/NAME` those that the plugin defines itself, its `config` among them
(https://developer.konghq.com/api/gateway/admin-oss/; kong/db/schema/init.lua and entity.lua, Kong 3.9).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.kong_admin.admin_client import AdminClient, path_of
from traceable_kong.kong_admin.admin_errors import ErrorResponse

Definition = Mapping[str, Any]


@dataclass(frozen=True)
class PluginSchema:
    """`fields` of the plugin and `options` of its `config`: `{name: definition}`.

    `aliases` are older names of options: Kong accepts them, and shows them beside the new ones.
    """

    fields: Mapping[str, Definition]
    options: Mapping[str, Definition]
    aliases: frozenset[str] = frozenset()


def plugin_schema(entity: Mapping[str, Any], plugin: Mapping[str, Any]) -> PluginSchema:
    """The schema from the responses of `/schemas/plugins` and `/schemas/plugins/NAME`."""
    fields = {**_by_name(entity.get("fields")), **_by_name(plugin.get("fields"))}
    config = fields.get("config", {})
    return PluginSchema(
        fields=fields,
        options=_by_name(config.get("fields")),
        aliases=frozenset(_by_name(config.get("shorthand_fields"))),
    )


def read_schema(client: AdminClient, plugin: str) -> PluginSchema | str:
    """Kong's schema, or why it cannot be read: a token may allow plugin entities only. Raises Unavailable."""
    try:
        entity, own = client.get("/schemas/plugins"), client.get(path_of("schemas/plugins", plugin))
    except ErrorResponse as problem:
        return str(problem)
    if entity is None or own is None:
        return "its Admin API has no schemas"
    return plugin_schema(entity, own)


def option_differences(
    schema: PluginSchema | None, wanted: Mapping[str, Any], found: Mapping[str, Any]
) -> Iterator[str]:
    """The options of a `config` that are not as wanted, in words. Without a schema, only wanted ones are compared.

    An option that this stack does not set is named without its value, which may be a secret.
    """
    for key, value in wanted.items():
        definition = schema.options.get(key, {}) if schema else {}
        if not _same(found.get(key), _with_defaults(definition, value), definition):
            yield f"{key} is {found.get(key)!r} instead of {value!r}"
    if schema is None or schema.aliases & wanted.keys():
        return
    for key in sorted(found.keys() - wanted.keys() - schema.aliases):
        definition = schema.options.get(key, {})
        default = _default(definition)
        if not definition.get("auto") and not _same(found[key], default, definition):
            yield f"{key} is set, and this stack leaves it at {default!r}"


COMPARED_ELSEWHERE = frozenset(("id", "name", "config", "enabled", "route", "service", "consumer", "consumer_group"))
"""Identity, state and scope: verification/kong_checks.py and plugin_target.py compare them."""

IGNORED = frozenset(("created_at", "updated_at", "tags", "ws_id"))


def field_differences(schema: PluginSchema | None, found: Mapping[str, Any]) -> Iterator[str]:
    """The fields of a plugin beside its `config` that are not Kong's default, in words: protocols, ordering and so on.

    Without a schema, a field that has a default (protocols) is not compared.
    """
    for key in sorted(found.keys() - COMPARED_ELSEWHERE - IGNORED):
        if key == "protocols" and (schema is None or found[key] is None):
            continue
        definition = schema.fields.get(key, {}) if schema else {}
        default = _default(definition)
        if not _same(found[key], default, definition):
            yield f"{key} is {found[key]!r} instead of {default!r}"


def _by_name(fields: Any) -> dict[str, Definition]:
    entries = fields if isinstance(fields, list) else []
    return {
        name: definition
        for entry in entries
        if isinstance(entry, Mapping)
        for name, definition in entry.items()
        if isinstance(definition, Mapping)
    }


def _default(definition: Definition) -> Any:
    if "default" in definition:
        return _with_defaults(definition, definition["default"])
    if definition.get("type") == "record" and definition.get("required"):
        return _with_defaults(definition, {})
    return None


def _with_defaults(definition: Definition, value: Any) -> Any:
    if definition.get("type") != "record" or not isinstance(value, Mapping):
        return value
    fields = _by_name(definition.get("fields"))
    missing = {name: _default(inner) for name, inner in fields.items() if name not in value}
    return {**missing, **{name: _with_defaults(fields.get(name, {}), item) for name, item in value.items()}}


def _same(one: Any, other: Any, definition: Definition) -> bool:
    one, other = _plain(one), _plain(other)
    if definition.get("type") == "set" and isinstance(one, tuple) and isinstance(other, tuple):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    return bool(one == other)


def _plain(value: Any) -> Any:
    """For comparisons: empty is the same as missing (Lua has one empty table), and true is not 1."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, Mapping):
        plain = {key: _plain(item) for key, item in value.items()}
        return {key: item for key, item in plain.items() if item is not None} or None
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value) or None
    return value
