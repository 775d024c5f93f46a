"""Reads a declarative configuration into entities. Plugins are validated; other entities are stored as they are.

Based on https://developer.konghq.com/gateway/entities/ and `kong/db/schema/others/declarative_config.lua` of Kong 3.9.
An entity may be nested in the entity that it belongs to. Unique fields are not checked.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from local.kong import admin_api_errors, enabled_plugins
from local.kong.plugin_loader import LoadedPlugin

Entities = dict[str, list[dict[str, Any]]]

NESTED = {
    "services": {"routes": "service", "plugins": "service"},
    "routes": {"plugins": "route"},
    "consumers": {
        "plugins": "consumer",
        "acls": "consumer",
        "basicauth_credentials": "consumer",
        "hmacauth_credentials": "consumer",
        "jwt_secrets": "consumer",
        "keyauth_credentials": "consumer",
        "oauth2_credentials": "consumer",
    },
    "upstreams": {"targets": "upstream"},
    "certificates": {"snis": "certificate"},
}
"""{entity type: {nested entity type: the field of the nested entity that refers to the outer one}}"""

KINDS = sorted(
    {*NESTED, *(kind for inner in NESTED.values() for kind in inner)}
    | {"ca_certificates", "filter_chains", "key_sets", "keys", "oauth2_tokens", "vaults"}
)
_OF_THE_FILE = ("_comment", "_format_version", "_ignore", "_info", "_transform")
_NAMES = ("name", "username", "key", "target", "prefix", "custom_id")
_NAMESPACE = uuid.UUID("a6b5a7b2-5f3c-4f5e-9d52-2f8f2f6f1d11")


class ConfigRejected(Exception):
    """The configuration is invalid. `flattened` holds the errors of entities, `fields` all other errors."""

    def __init__(self, fields: dict[str, Any], flattened: list[dict[str, Any]]) -> None:
        super().__init__(fields, flattened)
        self.fields = fields
        self.flattened = flattened


def read(document: Mapping[str, Any], enabled: Mapping[str, LoadedPlugin]) -> Entities:
    """Returns the entities by type. Raises ConfigRejected."""
    fields: dict[str, Any] = {
        name: "unknown field" for name in document if name not in KINDS and name not in _OF_THE_FILE
    }
    entities: Entities = {}
    for kind in KINDS:
        for item in document.get(kind) or []:
            _add(kind, item, {}, entities)
    _resolve(entities)
    flattened = [
        admin_api_errors.flattened("plugin", plugin, found)
        for plugin in entities.get("plugins", [])
        if (found := enabled_plugins.validation_errors(plugin, enabled))
    ]
    if fields or flattened:
        raise ConfigRejected(fields, flattened)
    entities["plugins"] = [enabled_plugins.with_defaults(plugin, enabled) for plugin in entities.get("plugins", [])]
    return {kind: items for kind, items in entities.items() if items}


def _add(kind: str, item: Mapping[str, Any], owner: Mapping[str, Any], entities: Entities) -> None:
    inner = NESTED.get(kind, {})
    entity = {**{name: value for name, value in item.items() if name not in inner}, **owner}
    if "id" not in entity:
        named = [str(entity.get(name)) for name in _NAMES if name in entity] + [str(owner)]
        entity["id"] = str(uuid.uuid5(_NAMESPACE, "/".join([kind, *named])))
    entities.setdefault(kind, []).append(entity)
    for inner_kind, field in inner.items():
        for child in item.get(inner_kind) or []:
            _add(inner_kind, child, {field: {"id": entity["id"]}}, entities)


def _resolve(entities: Entities) -> None:
    """Replaces names in references by ids, as Kong does."""
    for plugin in entities.get("plugins", []):
        for field, kind in (("service", "services"), ("route", "routes"), ("consumer", "consumers")):
            if isinstance(plugin.get(field), str):
                plugin[field] = {"id": _id_of(plugin[field], entities.get(kind, []))}


def _id_of(reference: str, candidates: list[dict[str, Any]]) -> str:
    return next((item["id"] for item in candidates if reference in (item.get("name"), item.get("username"))), reference)
