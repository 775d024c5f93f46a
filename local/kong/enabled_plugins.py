"""The plugins that a node has enabled: loading, validation of their configuration, and defaults.

Based on `kong/db/schema/entities/plugins.lua` and `kong/db/dao/plugins.lua` of Kong 3.9.
"""

from collections.abc import Mapping
from typing import Any

from local.kong import entity_schema
from local.kong.kong_config import KongConfig
from local.kong.plugin_loader import NULL, LoadedPlugin, PluginFileError, load_plugin

VERSION = "3.9.1"

# fmt: off
BUNDLED = (
    "acl", "acme", "ai-prompt-decorator", "ai-prompt-guard", "ai-prompt-template", "ai-proxy",
    "ai-request-transformer", "ai-response-transformer", "aws-lambda", "azure-functions", "basic-auth",
    "bot-detection", "correlation-id", "cors", "datadog", "file-log", "grpc-gateway", "grpc-web", "hmac-auth",
    "http-log", "ip-restriction", "jwt", "key-auth", "ldap-auth", "loggly", "oauth2", "opentelemetry",
    "post-function", "pre-function", "prometheus", "proxy-cache", "rate-limiting", "redirect",
    "request-size-limiting", "request-termination", "request-transformer", "response-ratelimiting",
    "response-transformer", "session", "standard-webhooks", "statsd", "syslog", "tcp-log", "udp-log", "zipkin",
)
# fmt: on
"""The plugins that `bundled` includes (`kong/constants.lua`)."""

_PROTOCOLS = ["grpc", "grpcs", "http", "https"]
_ALL_PROTOCOLS = [*_PROTOCOLS, "tcp", "tls", "tls_passthrough", "udp", "ws", "wss"]

_FIELDS: dict[str, Any] = {
    "id": {"type": "string", "uuid": True},
    "name": {"type": "string", "required": True},
    "instance_name": {"type": "string"},
    "created_at": {"type": "integer"},
    "updated_at": {"type": "integer"},
    "route": {"type": "foreign", "reference": "routes", "default": NULL},
    "service": {"type": "foreign", "reference": "services", "default": NULL},
    "consumer": {"type": "foreign", "reference": "consumers", "default": NULL},
    "config": {"type": "record"},
    "protocols": {
        "type": "set",
        "required": True,
        "default": _PROTOCOLS,
        "elements": {"type": "string", "one_of": _ALL_PROTOCOLS},
    },
    "enabled": {"type": "boolean", "required": True, "default": True},
    "tags": entity_schema.TAGS,
}


class StartError(Exception):
    """Kong does not start. The message is what it logs."""


def load(kong_config: KongConfig) -> dict[str, LoadedPlugin]:
    """Returns the enabled plugins by name. Raises StartError if one cannot be loaded; then Kong does not start
    either.
    """
    names = dict.fromkeys(name for item in kong_config.plugins for name in (BUNDLED if item == "bundled" else [item]))
    loaded, failed = {}, []
    for name in names:
        if name in BUNDLED and kong_config.module(f"kong.plugins.{name}.handler") is None:
            loaded[name] = LoadedPlugin(name=name, version=VERSION, priority=1000)
            continue
        try:
            loaded[name] = load_plugin(name, kong_config.module)
        except PluginFileError as problem:
            failed.append(f"on plugin '{name}': {problem}")
    if failed:
        raise StartError("init_by_lua error: error loading plugin schemas: " + "; ".join(failed))
    return loaded


def with_defaults(plugin: Mapping[str, Any], enabled: Mapping[str, LoadedPlugin]) -> dict[str, Any]:
    """Returns the plugin entity with its defaults, as Kong stores it, or unchanged if the plugin is not enabled."""
    known = enabled.get(str(plugin.get("name")))
    if known is None:
        return dict(plugin)
    return entity_schema.with_defaults(
        _fields(known), {"config": {}, **plugin} if plugin.get("config") is None else plugin
    )


def validation_errors(plugin: Mapping[str, Any], enabled: Mapping[str, LoadedPlugin]) -> dict[str, Any]:
    """Returns Kong's validation errors of a plugin entity by field."""
    name = plugin.get("name")
    if name is None:
        return {"name": entity_schema.REQUIRED}
    if name not in enabled:
        return {"name": f"plugin '{name}' not enabled; add it to the 'plugins' configuration property"}
    return entity_schema.validation_errors(_fields(enabled[name]), with_defaults(plugin, enabled))


def merge(top: Mapping[str, Any], bottom: Mapping[str, Any], enabled: Mapping[str, LoadedPlugin]) -> dict[str, Any]:
    """Returns `bottom` after a PATCH with `top`: options that `top` does not have stay."""
    known = enabled.get(str(bottom.get("name")))
    return entity_schema.merge(_fields(known) if known else _FIELDS, top, bottom)


def schema_response(plugin: LoadedPlugin | None = None) -> dict[str, Any]:
    """Returns the response of `/schemas/plugins/<name>`, or of `/schemas/plugins` if no plugin is given."""
    declared = _FIELDS if plugin is None else plugin.fields or {"config": {"type": "any"}}
    return {"entity_checks": [], "fields": entity_schema.to_response(declared)}


def _fields(plugin: LoadedPlugin) -> dict[str, Any]:
    if plugin.config is None:
        return {**_FIELDS, "config": {"type": "any"}}
    return {**_FIELDS, **plugin.fields}
