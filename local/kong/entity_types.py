"""The entity types of a Kong with a database: paths, keys, references, and the fields of the main types.

Based on `kong/db/schema/entities/` and the `daos.lua` of the authentication plugins of Kong 3.9. A type without fields
accepts any. Entity checks, the validation of hosts and paths, health checks of upstreams, and consumer groups are not
supported.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.kong.entity_schema import TAGS

PROTOCOLS = ["grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp", "ws", "wss"]
_PROTOCOL = {"type": "string", "one_of": PROTOCOLS}
_STRINGS = {"type": "array", "elements": {"type": "string"}}
_TIMEOUT = {"type": "integer", "default": 60000, "between": [1, 2147483646]}
_ALWAYS: dict[str, Any] = {
    "id": {"type": "string", "uuid": True},
    "created_at": {"type": "integer"},
    "updated_at": {"type": "integer"},
    "tags": TAGS,
}


@dataclass(frozen=True, kw_only=True)
class EntityType:
    """One entity type.

    `path` is its path in URLs, `nested` its path below an owner if that is different, `key` the field that can replace
    the id. Each of the `unique` fields is unique, and so is the combination of the fields in `together`. `foreign` maps
    a field to the entity type that it refers to. An entity is deleted with the one that a field in `cascade` refers to.
    `fields` None accepts any field.
    """

    name: str
    path: str = ""
    nested: str = ""
    key: str = ""
    unique: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    foreign: Mapping[str, str] = field(default_factory=dict)
    cascade: tuple[str, ...] = ()
    only_nested: bool = False
    fields: Mapping[str, Any] | None = None

    @property
    def in_paths(self) -> str:
        return self.path or self.name

    @property
    def in_nested_paths(self) -> str:
        return self.nested or self.in_paths


def _credential(name: str, plugin: str, key: str, path: str = "") -> EntityType:
    return EntityType(
        name=name,
        path=path or f"{plugin}s",
        nested=plugin,
        key=key,
        unique=(key,),
        foreign={"consumer": "consumers"},
        cascade=("consumer",),
    )


_SERVICE = {
    **_ALWAYS,
    "name": {"type": "string"},
    "retries": {"type": "integer", "default": 5, "between": [0, 32767]},
    "protocol": {**_PROTOCOL, "required": True, "default": "http"},
    "host": {"type": "string", "required": True},
    "port": {"type": "integer", "required": True, "default": 80, "between": [0, 65535]},
    "path": {"type": "string", "starts_with": "/"},
    "connect_timeout": _TIMEOUT,
    "write_timeout": _TIMEOUT,
    "read_timeout": _TIMEOUT,
    "client_certificate": {"type": "foreign"},
    "tls_verify": {"type": "boolean"},
    "tls_verify_depth": {"type": "integer", "between": [0, 64]},
    "ca_certificates": _STRINGS,
    "enabled": {"type": "boolean", "required": True, "default": True},
}
_ROUTE = {
    **_ALWAYS,
    "name": {"type": "string"},
    "protocols": {
        "type": "set",
        "required": True,
        "len_min": 1,
        "default": ["http", "https"],
        "elements": _PROTOCOL,
    },
    "https_redirect_status_code": {
        "type": "integer",
        "required": True,
        "default": 426,
        "one_of": [426, 301, 302, 307, 308],
    },
    "strip_path": {"type": "boolean", "required": True, "default": True},
    "preserve_host": {"type": "boolean", "required": True, "default": False},
    "request_buffering": {"type": "boolean", "required": True, "default": True},
    "response_buffering": {"type": "boolean", "required": True, "default": True},
    "service": {"type": "foreign"},
    "snis": _STRINGS,
    "sources": {"type": "any"},
    "destinations": {"type": "any"},
    "methods": _STRINGS,
    "hosts": _STRINGS,
    "paths": _STRINGS,
    "headers": {"type": "any"},
    "regex_priority": {"type": "integer", "default": 0},
    "path_handling": {"type": "string", "default": "v0", "one_of": ["v0", "v1"]},
    # Only for the router flavor `expressions`. The router flavor of the node is not checked.
    "expression": {"type": "string"},
    "priority": {"type": "integer"},
}
_CONSUMER = {**_ALWAYS, "username": {"type": "string"}, "custom_id": {"type": "string"}}

ALL = (
    EntityType(
        name="services", key="name", unique=("name",), foreign={"client_certificate": "certificates"}, fields=_SERVICE
    ),
    EntityType(name="routes", key="name", unique=("name",), foreign={"service": "services"}, fields=_ROUTE),
    EntityType(
        name="plugins",
        key="instance_name",
        unique=("instance_name",),
        together=("name", "route", "service", "consumer"),
        foreign={"route": "routes", "service": "services", "consumer": "consumers"},
        cascade=("route", "service", "consumer"),
    ),
    EntityType(name="consumers", key="username", unique=("username", "custom_id"), fields=_CONSUMER),
    EntityType(name="upstreams", key="name", unique=("name",), foreign={"client_certificate": "certificates"}),
    EntityType(
        name="targets",
        key="target",
        together=("upstream", "target"),
        foreign={"upstream": "upstreams"},
        cascade=("upstream",),
        only_nested=True,
    ),
    EntityType(name="certificates"),
    EntityType(
        name="snis",
        key="name",
        unique=("name",),
        foreign={"certificate": "certificates"},
        cascade=("certificate",),
    ),
    EntityType(name="ca_certificates"),
    EntityType(
        name="keys",
        key="name",
        unique=("name",),
        together=("kid", "set"),
        foreign={"set": "key_sets"},
        cascade=("set",),
    ),
    EntityType(name="key_sets", path="key-sets", key="name", unique=("name",)),
    EntityType(name="vaults", key="prefix", unique=("prefix",)),
    EntityType(
        name="filter_chains",
        path="filter-chains",
        key="name",
        unique=("name",),
        foreign={"route": "routes", "service": "services"},
        cascade=("route", "service"),
    ),
    EntityType(
        name="acls",
        together=("consumer", "group"),
        foreign={"consumer": "consumers"},
        cascade=("consumer",),
    ),
    _credential("basicauth_credentials", "basic-auth", "username"),
    _credential("hmacauth_credentials", "hmac-auth", "username"),
    _credential("keyauth_credentials", "key-auth", "key"),
    _credential("jwt_secrets", "jwt", "key"),
    _credential("oauth2_credentials", "oauth2", "client_id", path="oauth2"),
    EntityType(name="oauth2_tokens", key="access_token", unique=("access_token",)),
)

BY_NAME = {kind.name: kind for kind in ALL}
BY_PATH = {kind.in_paths: kind for kind in ALL if not kind.only_nested}


def nested(owner: EntityType, path: str) -> tuple[EntityType, str] | None:
    """Returns the entity type below `owner` under `path`, and its field that refers to the owner."""
    for kind in ALL:
        for name, target in kind.foreign.items():
            if target == owner.name and path == kind.in_nested_paths:
                return kind, name
    return None
