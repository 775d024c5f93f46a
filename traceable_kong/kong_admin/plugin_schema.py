"""What a plugin is with Kong's own defaults, by the schemas that its Admin API shows, and what differs from that. Pure.

Kong fills in what is not set before it keeps a plugin, and shows it filled in. `/schemas/plugins` has the fields of
every plugin, `/schemas/plugins/NAME` those that the plugin defines itself, its `config` among them
(https://developer.konghq.com/api/gateway/admin-oss/; kong/db/schema/init.lua and entity.lua, Kong 3.9).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.kong_admin.admin_client import Client, HookFailed

Definition = Mapping[str, Any]


@dataclass(frozen=True)
class PluginSchema:
    """`fields` of the plugin, `options` of its `config`: `{name: definition}`.

    `aliases` are older names of options: Kong takes them, and shows them beside the options that they stand for.
    """

    fields: Mapping[str, Definition]
    options: Mapping[str, Definition]
    aliases: frozenset[str] = frozenset()


def plugin_schema(entity: Mapping[str, Any], plugin: Mapping[str, Any]) -> PluginSchema:
    """From the answers of `/schemas/plugins` and `/schemas/plugins/NAME`."""
    fields = {**_named(entity.get("fields")), **_named(plugin.get("fields"))}
    config = fields.get("config", {})
    return PluginSchema(
        fields=fields,
        options=_named(config.get("fields")),
        aliases=frozenset(_named(config.get("shorthand_fields"))),
    )


def shown(client: Client, plugin: str) -> PluginSchema | str:
    """The schema, or why Kong does not show it: a token may be good for plugins and for nothing else. Raises Silent."""
    try:
        entity, own = client.get("/schemas/plugins"), client.get(f"/schemas/plugins/{plugin}")
    except HookFailed as problem:
        return str(problem)
    if entity is None or own is None:
        return "its Admin API has no schemas"
    return plugin_schema(entity, own)


def option_differences(
    schema: PluginSchema | None, wanted: Mapping[str, Any], found: Mapping[str, Any]
) -> Iterator[str]:
    """What of a `config` is not as wanted, in words. Without a schema, only what is wanted is compared.

    What this stack does not set is named without its value, which may be a secret.
    """
    for key, value in wanted.items():
        definition = schema.options.get(key, {}) if schema else {}
        if not _same(found.get(key), _filled(definition, value), definition):
            yield f"{key} is {found.get(key)!r} instead of {value!r}"
    if schema is None or schema.aliases & wanted.keys():
        return
    for key in sorted(found.keys() - wanted.keys() - schema.aliases):
        definition = schema.options.get(key, {})
        default = _default(definition)
        if not definition.get("auto") and not _same(found[key], default, definition):
            yield f"{key} is set, and this stack leaves it at {default!r}"


JUDGED_ELSEWHERE = frozenset(("id", "name", "config", "enabled", "route", "service", "consumer", "consumer_group"))
"""What a plugin is, whether it is on, and what it is bound to: verification/kong_checks.py and
kong_admin/plugin_target.py.
"""

NO_MATTER = frozenset(("created_at", "updated_at", "tags", "ws_id"))


def field_differences(schema: PluginSchema | None, found: Mapping[str, Any]) -> Iterator[str]:
    """What of a plugin beside its `config` is not Kong's default, in words: protocols, ordering and so on.

    Without a schema a field that has a default (protocols) is not judged.
    """
    for key in sorted(found.keys() - JUDGED_ELSEWHERE - NO_MATTER):
        if key == "protocols" and (schema is None or found[key] is None):
            continue
        definition = schema.fields.get(key, {}) if schema else {}
        default = _default(definition)
        if not _same(found[key], default, definition):
            yield f"{key} is {found[key]!r} instead of {default!r}"


def _named(fields: Any) -> dict[str, Definition]:
    return {name: definition for entry in fields or [] for name, definition in entry.items()}


def _default(definition: Definition) -> Any:
    if "default" in definition:
        return _filled(definition, definition["default"])
    if definition.get("type") == "record" and definition.get("required"):
        return _filled(definition, {})
    return None


def _filled(definition: Definition, value: Any) -> Any:
    if definition.get("type") != "record" or not isinstance(value, Mapping):
        return value
    fields = _named(definition.get("fields"))
    missing = {name: _default(inner) for name, inner in fields.items() if name not in value}
    return {**missing, **{name: _filled(fields.get(name, {}), item) for name, item in value.items()}}


def _same(one: Any, other: Any, definition: Definition) -> bool:
    one, other = _plain(one), _plain(other)
    if definition.get("type") == "set" and isinstance(one, tuple) and isinstance(other, tuple):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    return bool(one == other)


def _plain(value: Any) -> Any:
    """For comparing: what is empty is as good as missing (Lua has one empty table), and true is not 1."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, Mapping):
        plain = {key: _plain(item) for key, item in value.items()}
        return {key: item for key, item in plain.items() if item is not None} or None
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value) or None
    return value
