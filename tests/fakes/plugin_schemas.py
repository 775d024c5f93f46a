"""The schemas of the plugin that Kong's Admin API returns in tests."""

from typing import Any

from traceable_kong.kong_admin.plugin_schema import plugin_schema

Document = dict[str, Any]

HTTP = ["grpc", "grpcs", "http", "https"]

ENTITY: Document = {
    "entity_checks": [],
    "fields": [
        {"id": {"type": "string", "uuid": True, "auto": True}},
        {"name": {"type": "string", "required": True}},
        {"instance_name": {"type": "string"}},
        {"created_at": {"type": "integer", "auto": True}},
        {"route": {"type": "foreign", "default": None}},
        {"config": {"type": "record", "abstract": True}},
        {"protocols": {"type": "set", "required": True, "default": HTTP, "elements": {"type": "string"}}},
        {"enabled": {"type": "boolean", "required": True, "default": True}},
        {"tags": {"type": "set"}},
    ],
}
"""`/schemas/plugins`."""

OPTIONS: list[Document] = [
    {"ext_cap_endpoint": {"type": "string", "required": True}},
    {"mode": {"type": "string", "default": "sync"}},
    {"allow_on_failure": {"type": "boolean", "default": True}},
    {"timeout": {"type": "number", "default": 500}},
    {"service_name": {"type": "string", "default": "kong"}},
    {"max_body_size_bytes": {"type": "integer", "default": 131072}},
    {"default_of_kongs": {"type": "integer", "default": 1}},
]


def own(*options: Document, **config: Any) -> Document:
    """`/schemas/plugins/traceable`, with more `options`; `config` are more fields of its definition."""
    fields = [*OPTIONS, *options]
    return {"fields": [{"config": {"type": "record", "required": True, "fields": fields, **config}}]}


OWN = own()
SCHEMA = plugin_schema(ENTITY, OWN)

SHOWN = {"/schemas/plugins": ENTITY, "/schemas/plugins/traceable": OWN}
"""`{path: answer}`."""
