"""Routes that every node has, with or without a database: `/`, `/status` and `/schemas`.

Based on `kong/api/routes/kong.lua` and `kong/api/routes/health.lua` of Kong 3.9.
"""

import json
from collections.abc import Mapping
from typing import Any

from local.kong import admin_api_errors, enabled_plugins, entity_schema, entity_types
from local.kong.enabled_plugins import VERSION
from local.kong.kong_config import KongConfig
from local.kong.plugin_loader import LoadedPlugin

Response = tuple[int, Any]
"""Status and JSON body. None is an empty body."""

NOT_FOUND = {"message": "Not found"}
NOT_ALLOWED = {"message": "Method not allowed"}
NO_JSON = {"message": "Cannot parse JSON body"}


def root(
    kong_config: KongConfig, hostname: str, node_id: str, enabled: Mapping[str, LoadedPlugin], in_use: list[str]
) -> Response:
    """`/`. `in_use` holds the plugin names of the configured plugin entities."""
    return 200, {
        "tagline": "Welcome to kong",
        "version": VERSION,
        "edition": "enterprise" if kong_config.enterprise else "community",
        "hostname": hostname,
        "node_id": node_id,
        "lua_version": "LuaJIT 2.1.0-20231117",
        "plugins": {
            "available_on_server": {
                name: {"version": plugin.version, "priority": plugin.priority} for name, plugin in enabled.items()
            },
            "enabled_in_cluster": list(dict.fromkeys(in_use)),
        },
        "configuration": kong_config.shown(),
    }


def status(more: Mapping[str, Any]) -> Response:
    """`/status`, with the fields that depend on the database."""
    counters = ("accepted", "active", "handled", "reading", "requests", "waiting", "writing")
    return 200, {**more, "memory": {}, "server": {"total_requests": 0} | dict.fromkeys(counters, 0)}


def schemas(method: str, parts: list[str], body: bytes, enabled: Mapping[str, LoadedPlugin]) -> Response:
    """`/schemas/...`. `parts` is the rest of the path."""
    match method, parts:
        case "GET", ["plugins", name]:
            if name not in enabled:
                return 404, {"message": f"No plugin named '{name}'"}
            return 200, enabled_plugins.schema_response(enabled[name])
        case "GET", [name]:
            if name not in entity_types.BY_NAME:
                return 404, {"message": f"No entity named '{name}'"}
            if name == "plugins":
                return 200, enabled_plugins.schema_response()
            return 200, {
                "entity_checks": [],
                "fields": entity_schema.to_response(entity_types.BY_NAME[name].fields or {}),
            }
        case "POST", [name, "validate"]:
            return _validate(name, body, enabled)
    return 404, NOT_FOUND


def _validate(name: str, body: bytes, enabled: Mapping[str, LoadedPlugin]) -> Response:
    if name not in entity_types.BY_NAME:
        return 404, {"message": f"No entity named '{name}'"}
    entity = json.loads(body or b"{}")
    found = enabled_plugins.validation_errors(entity, enabled) if name == "plugins" else {}
    if found:
        return 400, admin_api_errors.schema_violation(found)
    return 200, {"message": "schema validation successful"}
