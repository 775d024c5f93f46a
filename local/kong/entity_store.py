"""Reads and writes the entities of one workspace: select, page, insert, update, upsert and delete.

Based on `kong/db/dao/init.lua` and `kong/db/strategies/postgres/init.lua` of Kong 3.9. Each call runs in the caller's
transaction. Expiry, `snis` in a certificate, and the match of a plugin's protocols with its route's are not supported.
"""

import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from psycopg.types.json import Jsonb

from local.kong import admin_api_errors, enabled_plugins, entity_schema, entity_types
from local.kong.database import Cursor
from local.kong.entity_types import EntityType
from local.kong.pagination import Page
from local.kong.plugin_loader import LoadedPlugin

Entity = dict[str, Any]


class RequestRejected(Exception):
    """The entity is invalid or does not exist. `status` and `body` are Kong's response."""

    def __init__(self, status: int, body: Entity) -> None:
        super().__init__(body.get("message"))
        self.status = status
        self.body = body


class EntityStore:
    """The entities of the workspace with this id."""

    def __init__(self, cursor: Cursor, workspace: str, enabled: Mapping[str, LoadedPlugin]) -> None:
        self._cursor = cursor
        self._workspace = workspace
        self._enabled = enabled

    def select(self, kind: EntityType, key: str) -> Entity | None:
        """Returns the entity with this id, or with this name if its type has names."""
        if entity_schema.is_uuid(key):
            return self._first(kind, "id = %s", key)
        return self._first(kind, "document->>%s = %s", kind.key, key) if kind.key else None

    def page(self, kind: EntityType, page: Page, owner: tuple[str, str] | None = None) -> tuple[list[Entity], bool]:
        """Returns the entities of a page, ordered by id, and whether more follow. `owner` is a field and an id."""
        conditions, values = ["id > %s"] if page.after else [], [page.after] if page.after else []
        if owner:
            conditions.append("document->%s->>'id' = %s")
            values += owner
        found = [item for item in self._all(kind, conditions, values) if page.has(item)]
        return found[: page.size], len(found) > page.size

    def insert(self, kind: EntityType, entity: Entity) -> Entity:
        given = {"id": str(uuid.uuid4()), **entity}
        complete = self._checked(kind, given, created=None)
        if self._cursor.execute(
            "SELECT 1 FROM entities WHERE kind = %s AND id = %s", (kind.name, complete["id"])
        ).fetchone():
            raise RequestRejected(400, admin_api_errors.primary_key_violation({"id": complete["id"]}))
        return self._write(kind, complete)

    def upsert(self, kind: EntityType, key: str, entity: Entity) -> Entity:
        """PUT: replaces the whole entity."""
        if entity_schema.is_uuid(key):
            return self._write(kind, self._checked(kind, {**entity, "id": key}, created=None))
        if not kind.key:
            raise RequestRejected(404, {"message": "Not found"})
        before = self.select(kind, key)
        identity = before["id"] if before else entity.get("id") or str(uuid.uuid4())
        return self._write(kind, self._checked(kind, {**entity, kind.key: key, "id": identity}, created=None))

    def update(self, kind: EntityType, key: str, entity: Entity) -> Entity:
        """PATCH: merges the given fields into the entity."""
        before = self.select(kind, key)
        if not before:
            # For a plugin without a name in the request, Kong reads the entity first.
            by_name = {"id": key} if entity_schema.is_uuid(key) else {kind.key: key}
            unnamed = kind.name == "plugins" and "name" not in entity
            raise RequestRejected(404, {"message": "Not found"} if unnamed else admin_api_errors.not_found(by_name))
        given = {name: value for name, value in entity.items() if name not in ("id", "created_at")}
        if kind.name == "plugins":
            merged = enabled_plugins.merge(given, before, self._enabled)
        else:
            merged = entity_schema.merge(kind.fields or {}, _expand_url(kind, given), before)
        return self._write(kind, self._checked(kind, merged, created=before.get("created_at")))

    def delete(self, kind: EntityType, key: str) -> None:
        """Deletes the entity and those that belong to it. A missing entity is not an error."""
        found = self.select(kind, key)
        if not found:
            return
        for other in entity_types.ALL:
            for field, target in other.foreign.items():
                if target != kind.name:
                    continue
                for dependent in self._all(other, ["document->%s->>'id' = %s"], [field, found["id"]]):
                    if field not in other.cascade:
                        raise RequestRejected(400, admin_api_errors.foreign_key_restricted(kind.name, other.name))
                    self.delete(other, dependent["id"])
        self._cursor.execute("DELETE FROM entities WHERE kind = %s AND id = %s", (kind.name, found["id"]))

    def _checked(self, kind: EntityType, entity: Entity, created: int | None) -> Entity:
        """Returns the entity with its defaults. Raises RequestRejected."""
        moment = int(time.time())
        entity = _expand_url(kind, entity)
        entity["created_at"] = created or entity.get("created_at") or moment
        entity["updated_at"] = moment
        self._resolve(kind, entity)
        if kind.name == "plugins":
            found = enabled_plugins.validation_errors(entity, self._enabled)
            complete = enabled_plugins.with_defaults(entity, self._enabled)
        else:
            complete = entity_schema.with_defaults(kind.fields or {}, entity)
            found = entity_schema.validation_errors(kind.fields, complete) if kind.fields else {}
        if found:
            raise RequestRejected(400, admin_api_errors.schema_violation(found))
        self._refer(kind, complete)
        self._unique(kind, complete)
        return complete

    def _resolve(self, kind: EntityType, entity: Entity) -> None:
        """Replaces names in references by ids, as Kong does."""
        for field, target in kind.foreign.items():
            value = entity.get(field)
            if value is None:
                continue
            other = entity_types.BY_NAME[target]
            if not isinstance(value, dict) or not ("id" in value or value.get(other.key)):
                raise RequestRejected(400, admin_api_errors.schema_violation({field: {"id": "missing primary key"}}))
            if "id" in value:
                if not entity_schema.is_uuid(str(value["id"])):
                    raise RequestRejected(
                        400, admin_api_errors.schema_violation({field: {"id": "expected a valid UUID"}})
                    )
                entity[field] = {"id": value["id"]}
                continue
            named = self.select(other, str(value[other.key]))
            if not named:
                key = {other.key: value[other.key]}
                raise RequestRejected(400, admin_api_errors.foreign_key_unresolved(field, key, target))
            entity[field] = {"id": named["id"]}

    def _refer(self, kind: EntityType, entity: Entity) -> None:
        for field, target in kind.foreign.items():
            value = entity.get(field)
            if value and not self.select(entity_types.BY_NAME[target], value["id"]):
                raise RequestRejected(400, admin_api_errors.foreign_key_missing(field, value, target))

    def _unique(self, kind: EntityType, entity: Entity) -> None:
        others = [item for item in self._all(kind, [], []) if item["id"] != entity["id"]]
        if kind.together:
            keys = {field: entity.get(field) for field in kind.together}
            if any({field: item.get(field) for field in kind.together} == keys for item in others):
                raise RequestRejected(409, admin_api_errors.unique_violation(keys))
        for field in kind.unique:
            value = entity.get(field)
            if value is not None and any(item.get(field) == value for item in others):
                raise RequestRejected(409, admin_api_errors.unique_violation({field: value}))

    def _write(self, kind: EntityType, entity: Entity) -> Entity:
        self._cursor.execute(
            "INSERT INTO entities (kind, id, ws_id, document) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (kind, id) DO UPDATE SET document = EXCLUDED.document, ws_id = EXCLUDED.ws_id",
            (kind.name, entity["id"], self._workspace, Jsonb(entity)),
        )
        return entity

    def _first(self, kind: EntityType, condition: str, *values: object) -> Entity | None:
        found = self._all(kind, [condition], list(values))
        return found[0] if found else None

    def _all(self, kind: EntityType, conditions: list[str], values: list[Any]) -> list[Entity]:
        where = " AND ".join(["kind = %s", "ws_id = %s", *conditions])
        self._cursor.execute(
            f"SELECT document FROM entities WHERE {where} ORDER BY id",
            (kind.name, self._workspace, *values),
        )
        return [row["document"] for row in self._cursor.fetchall()]


def _expand_url(kind: EntityType, entity: Entity) -> Entity:
    """Replaces a service's `url` by the fields that it is short for."""
    if kind.name != "services" or not isinstance(entity.get("url"), str):
        return dict(entity)
    url = urlsplit(entity["url"])
    protocol = url.scheme or "http"
    return {
        **{name: value for name, value in entity.items() if name != "url"},
        "protocol": protocol,
        "host": url.hostname,
        "port": url.port or {"https": 443}.get(protocol, 80),
        "path": url.path or None,
    }
