"""A simulated Kong node with a database (traditional mode): startup, Admin API, status API, loaded plugins.

Based on `kong/init.lua`, `kong/api/`, `kong/status/ready.lua` and `kong/api/routes/health.lua` of Kong 3.9. Workspaces
and tokens exist in Kong Gateway Enterprise (https://developer.konghq.com/gateway/entities/rbac/); here every valid
token has all permissions.
"""

import json
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from local.kong import admin_routes, config_refresh, enabled_plugins, entity_types, migrations, pagination, workspaces
from local.kong.admin_routes import NO_JSON, NOT_ALLOWED, NOT_FOUND, Response
from local.kong.database import Cursor, Database, DatabaseError
from local.kong.enabled_plugins import StartError
from local.kong.entity_store import EntityStore, RequestRejected
from local.kong.entity_types import EntityType
from local.kong.kong_config import KongConfig

UNEXPECTED = {"message": "An unexpected error occurred"}
NO_CREDENTIALS = {"message": "Invalid RBAC credentials"}
ONLY_WITHOUT_DATABASE = {"message": "this endpoint is only available when Kong is configured to not use a database"}
TOKEN = "kong-admin-token"

_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_WRITING_LOCK = 0x6B6F6E68


class TraditionalNode:
    """A node that has started. The constructor raises StartError if it cannot start."""

    def __init__(self, kong_config: KongConfig, *, hostname: str, database: Database) -> None:
        self.kong_config = kong_config
        self.hostname = hostname
        self._id = str(uuid.uuid4())
        self._lock = threading.RLock()
        self._database = database
        try:
            self._check_database()
            self.plugins = enabled_plugins.load(kong_config)
            with self._database.transaction() as cursor:
                self.loaded = config_refresh.LoadedPlugins(cursor, self._id, kong_config, self.plugins)
        except DatabaseError as problem:
            raise StartError(f"init_by_lua error: [PostgreSQL error] {problem}") from problem
        except config_refresh.PluginNotEnabled as problem:
            raise StartError(f"init_by_lua error: error building initial plugins: {problem}") from problem
        finally:
            self._database.close()

    def follow(self, now: float) -> bool:
        """Polls the database if it is time. Returns True if the loaded plugins have changed."""
        with self._lock:
            return self.loaded.follow(now, self._database)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def status_api(self, path: str) -> Response:
        """Answers a GET on the status listener."""
        if path == "/status":
            return admin_routes.status({"database": {"reachable": self._reachable()}})
        if path == "/status/ready":
            ready = self._reachable()
            return (200, {"message": "ready"}) if ready else (503, {"message": "failed to connect to database"})
        return 404, NOT_FOUND

    def admin_api(
        self, method: str, path: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Answers a request on an admin listener. `body` is JSON, the names of `headers` are lowercase."""
        parts = [part for part in path.split("/") if part]
        with self._lock:
            try:
                with self._database.transaction() as cursor:
                    if method in _WRITES:
                        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_WRITING_LOCK,))
                    status, answer = self._answer(cursor, method, parts, query, body, headers or {})
                    if method in _WRITES and status < 300:
                        self.loaded.announce(cursor)
                    return status, answer
            except DatabaseError:
                if parts == ["status"]:
                    return self.status_api("/status")
                return 500, UNEXPECTED if parts else {"message": "An unexpected error happened"}
            except (RequestRejected, pagination.InvalidPage) as rejected:
                return getattr(rejected, "status", 400), rejected.body

    def _answer(
        self,
        cursor: Cursor,
        method: str,
        parts: list[str],
        query: Mapping[str, str],
        body: bytes,
        headers: Mapping[str, str],
    ) -> Response:
        if not self._is_authorized(cursor, headers):
            return 401, NO_CREDENTIALS
        workspace, parts = workspaces.resolve(cursor, parts, enterprise=self.kong_config.enterprise)
        match method, parts:
            case "GET", []:
                return admin_routes.root(
                    self.kong_config, self.hostname, self._id, self.plugins, config_refresh.plugin_names(cursor)
                )
            case "GET", ["status"]:
                return self.status_api("/status")
            case (("GET" | "POST"), ["config"]):
                return 400, ONLY_WITHOUT_DATABASE
            case _, ["schemas", *rest]:
                return admin_routes.schemas(method, rest, body, self.plugins)
        document = _document(body) if method in ("POST", "PUT", "PATCH") else {}
        if document is None:
            return 400, NO_JSON
        if self.kong_config.enterprise and parts[:1] == ["workspaces"]:
            return workspaces.respond(cursor, method, parts[1:], document)
        return self._entities(EntityStore(cursor, workspace, self.plugins), method, parts, query, document)

    def _entities(
        self, entities: EntityStore, method: str, parts: list[str], query: Mapping[str, str], document: dict[str, Any]
    ) -> Response:
        match parts:
            case [path] if path in entity_types.BY_PATH:
                return _collection(entities, entity_types.BY_PATH[path], method, path, query, document)
            case [path, key] if path in entity_types.BY_PATH:
                return _entity(entities, entity_types.BY_PATH[path], method, key, document)
            case [path, key, below, *rest] if path in entity_types.BY_PATH and len(rest) < 2:
                return _nested(entities, entity_types.BY_PATH[path], key, below, rest, method, query, document)
        return 404, NOT_FOUND

    def _check_database(self) -> None:
        try:
            with self._database.transaction() as cursor:
                cursor.execute("SHOW server_version_num")
                migrations.check(migrations.state(cursor))
        except DatabaseError as problem:
            raise StartError("init_by_lua error: " + migrations.NO_VERSION + str(problem)) from problem

    def _reachable(self) -> bool:
        with self._lock:
            try:
                with self._database.transaction():
                    return True
            except DatabaseError:
                return False

    def _is_authorized(self, cursor: Cursor, headers: Mapping[str, str]) -> bool:
        if not (self.kong_config.enterprise and self.kong_config.get("enforce_rbac", "off") != "off"):
            return True
        given = migrations.digest(headers.get(TOKEN, ""))
        cursor.execute("SELECT 1 FROM rbac_users WHERE token_digest = %s", (given,))
        return cursor.fetchone() is not None


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _collection(
    entities: EntityStore, kind: EntityType, method: str, path: str, query: Mapping[str, str], document: dict[str, Any]
) -> Response:
    if method == "POST":
        return 201, entities.insert(kind, document)
    if method != "GET":
        return 405, NOT_ALLOWED
    items, more = entities.page(kind, pagination.Page.read(query))
    return 200, pagination.to_response(path, query, items, more=more)


def _entity(entities: EntityStore, kind: EntityType, method: str, key: str, document: dict[str, Any]) -> Response:
    match method:
        case "GET":
            found = entities.select(kind, key)
            return (200, found) if found else (404, NOT_FOUND)
        case "PUT":
            return 200, entities.upsert(kind, key, document)
        case "PATCH":
            return 200, entities.update(kind, key, document)
        case "DELETE":
            entities.delete(kind, key)
            return 204, None
    return 405, NOT_ALLOWED


def _nested(
    entities: EntityStore,
    owner_kind: EntityType,
    key: str,
    below: str,
    rest: list[str],
    method: str,
    query: Mapping[str, str],
    document: dict[str, Any],
) -> Response:
    """Answers `/services/<key>/plugins`, `/services/<key>/plugins/<key>` and `/routes/<key>/service`."""
    owner = entities.select(owner_kind, key)
    if not owner:
        return 404, NOT_FOUND
    if below in owner_kind.foreign and not rest:
        named = owner.get(below)
        if not named:
            return 404, NOT_FOUND
        return _entity(entities, entity_types.BY_NAME[owner_kind.foreign[below]], method, named["id"], document)
    found = entity_types.nested(owner_kind, below)
    if not found:
        return 404, NOT_FOUND
    kind, field = found
    mine = {field: {"id": owner["id"]}}
    if not rest and method == "GET":
        items, more = entities.page(kind, pagination.Page.read(query), (field, owner["id"]))
        return 200, pagination.to_response(f"{owner_kind.in_paths}/{key}/{below}", query, items, more=more)
    if not rest:
        return _collection(entities, kind, method, below, query, {**document, **mine})
    if method != "PUT":
        existing = entities.select(kind, rest[0])
        if not existing or existing.get(field) != mine[field]:
            return 404, NOT_FOUND
    return _entity(entities, kind, method, rest[0], {**document, **mine} if document or method == "PUT" else document)
