"""A simulated Kong node without a database: its Admin API and its status API. No side effects.

Paths and bodies are those of Kong 3.9 (`kong/api/routes/`, `kong/status/ready.lua` in https://github.com/Kong/kong,
https://developer.konghq.com/api/gateway/admin-oss/). A node with a database is in traditional_node.py.
"""

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

import yaml

from local.kong import admin_api_errors, admin_routes, declarative_config, enabled_plugins
from local.kong.admin_routes import NOT_FOUND, Response
from local.kong.enabled_plugins import StartError
from local.kong.kong_config import KongConfig

EMPTY_HASH = "0" * 32


class DbLessNode:
    """A node that has started. The constructor raises StartError if it cannot start."""

    def __init__(self, kong_config: KongConfig, *, hostname: str) -> None:
        self.kong_config = kong_config
        self.hostname = hostname
        self.plugins = enabled_plugins.load(kong_config)
        self.hash = EMPTY_HASH
        self.entities: declarative_config.Entities = {}
        self._id = str(uuid.uuid4())
        self._lock = threading.Lock()
        self._load_file()

    def status_api(self, path: str) -> Response:
        """Answers a GET on the status listener."""
        if path == "/status":
            return self._status()
        if path == "/status/ready":
            if self.hash == EMPTY_HASH:
                return 503, {"message": "no configuration available (empty configuration present)"}
            return 200, {"message": "ready"}
        return 404, NOT_FOUND

    def admin_api(
        self, method: str, path: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Answers a request on an admin listener. `body` is JSON."""
        parts = [part for part in path.split("/") if part]
        with self._lock:
            match method, parts:
                case "GET", []:
                    return self._root()
                case "GET", ["status"]:
                    return self._status()
                case "GET", ["config"]:
                    return 200, {"config": yaml.safe_dump({"_format_version": "3.0", **self.entities})}
                case "POST", ["config"]:
                    return self._configure(query, body)
                case _, ["schemas", *rest]:
                    return admin_routes.schemas(method, rest, body, self.plugins)
                case "GET", _:
                    return self._read(parts)
                case _, [kind, *_] if kind in declarative_config.KINDS:
                    message = f"cannot create or update '{kind}' entities when not using a database"
                    return 405, admin_api_errors.unsupported(message)
        return 404, NOT_FOUND

    def _root(self) -> Response:
        in_use = [item["name"] for item in self.entities.get("plugins", [])]
        return admin_routes.root(self.kong_config, self.hostname, self._id, self.plugins, in_use)

    def _status(self) -> Response:
        return admin_routes.status({"configuration_hash": self.hash})

    def _configure(self, query: Mapping[str, str], body: bytes) -> Response:
        try:
            document = json.loads(body)
            if "config" in document and "_format_version" not in document:
                document = yaml.safe_load(document["config"])
            _ = document["_format_version"]
        except (ValueError, KeyError, TypeError, yaml.YAMLError):
            return 400, {"message": "expected a declarative configuration"}
        new_hash = hashlib.md5(json.dumps(document, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
        if query.get("check_hash") == "1" and new_hash == self.hash:
            return 304, None
        try:
            found = declarative_config.read(document, self.plugins)
        except declarative_config.ConfigRejected as rejected:
            if query.get("flatten_errors") in ("1", "true", "on", "yes"):
                return 400, admin_api_errors.declarative_config(rejected.fields, rejected.flattened)
            return 400, admin_api_errors.declarative_config(
                {**rejected.fields, **_errors_by_entity_type(rejected)}, None
            )
        moment = int(time.time())
        for plugin in found.get("plugins", []):
            plugin |= {name: plugin.get(name) or moment for name in ("created_at", "updated_at")}
        self.entities = found
        self.hash = new_hash if found else EMPTY_HASH
        return 201, {kind: {item["id"]: item for item in items} for kind, items in found.items()}

    def _load_file(self) -> None:
        path = self.kong_config.get("declarative_config")
        if not path:
            return
        if path not in self.kong_config.files:
            raise StartError(f"error parsing declarative config file {path}:\n{path}: No such file or directory")
        status, answer = self._configure({}, json.dumps({"config": self.kong_config.files[path]}).encode())
        if status != 201:
            raise StartError(f"error parsing declarative config file {path}:\n{answer['message']}")

    def _read(self, parts: list[str]) -> Response:
        match parts:
            case [kind] if kind in declarative_config.KINDS:
                return 200, {"data": self.entities.get(kind, []), "next": None}
            case [kind, wanted] if kind in declarative_config.KINDS:
                found = self._find(kind, wanted)
                return (200, found) if found else (404, NOT_FOUND)
            case [kind, wanted, inner] if inner in declarative_config.NESTED.get(kind, {}):
                owner = self._find(kind, wanted)
                if not owner:
                    return 404, NOT_FOUND
                field = declarative_config.NESTED[kind][inner]
                items = [item for item in self.entities.get(inner, []) if item.get(field) == {"id": owner["id"]}]
                return 200, {"data": items, "next": None}
        return 404, NOT_FOUND

    def _find(self, kind: str, wanted: str) -> dict[str, Any] | None:
        names = ("id", "instance_name") if kind == "plugins" else ("id", "name", "username")
        return next(
            (item for item in self.entities.get(kind, []) if wanted in [item.get(name) for name in names]), None
        )


def _errors_by_entity_type(rejected: declarative_config.ConfigRejected) -> dict[str, Any]:
    """Returns the errors without `flatten_errors`: by entity type, position (from 1) and field."""
    lines = {
        index: {line["field"]: line["message"] for line in entry["errors"] if "field" in line}
        for index, entry in enumerate(rejected.flattened, start=1)
    }
    return {"plugins": lines} if lines else {}
