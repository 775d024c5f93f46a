"""Workspaces. The open-source Kong has only `default`; Kong Gateway Enterprise has more, and paths that start with one.

Based on https://developer.konghq.com/gateway/entities/workspace/. The open-source Kong stores workspaces too, but its
Admin API has no paths for them: `/default/plugins` is not found. The configuration of a workspace is not supported.
"""

import time
import uuid
from typing import Any

from local.kong import admin_api_errors, entity_types
from local.kong.admin_routes import NOT_ALLOWED, NOT_FOUND, Response
from local.kong.database import Cursor
from local.kong.entity_store import RequestRejected
from local.kong.migrations import DEFAULT_WORKSPACE

_OF_NO_WORKSPACE = {"status", "config", "schemas", "workspaces", "endpoints", "licenses"}


def resolve(cursor: Cursor, parts: list[str], *, enterprise: bool) -> tuple[str, list[str]]:
    """Returns the workspace's id and the rest of the path. Raises RequestRejected."""
    named = enterprise and parts and parts[0] not in entity_types.BY_PATH and parts[0] not in _OF_NO_WORKSPACE
    name = parts[0] if named else DEFAULT_WORKSPACE
    found = _find(cursor, name)
    if not found:
        raise RequestRejected(404, {"message": f"Workspace '{name}' not found"})
    return found["id"], parts[1:] if named else parts


def respond(cursor: Cursor, method: str, parts: list[str], document: dict[str, Any]) -> Response:
    """Answers `/workspaces/...`. `parts` is the rest of the path."""
    match method, parts:
        case "GET", []:
            cursor.execute("SELECT id::text, name, created_at FROM workspaces ORDER BY id")
            return 200, {"data": cursor.fetchall(), "next": None}
        case "POST", []:
            return 201, _create(cursor, str(uuid.uuid4()), document.get("name"))
        case "GET", [key]:
            found = _find(cursor, key)
            return (200, found) if found else (404, NOT_FOUND)
        case "PUT", [key]:
            return 200, _find(cursor, key) or _create(cursor, str(uuid.uuid4()), key)
        case "DELETE", [key]:
            return _remove(cursor, key)
    return 405, NOT_ALLOWED


def _find(cursor: Cursor, key: str) -> dict[str, Any] | None:
    cursor.execute("SELECT id::text, name, created_at FROM workspaces WHERE name = %s OR id::text = %s", (key, key))
    return cursor.fetchone()


def _create(cursor: Cursor, identity: str, name: str | None) -> dict[str, Any]:
    if not name:
        raise RequestRejected(400, admin_api_errors.schema_violation({"name": "required field missing"}))
    if _find(cursor, name):
        raise RequestRejected(409, admin_api_errors.unique_violation({"name": name}))
    row = {"id": identity, "name": name, "created_at": int(time.time())}
    cursor.execute("INSERT INTO workspaces (id, name, created_at) VALUES (%(id)s, %(name)s, %(created_at)s)", row)
    return row


def _remove(cursor: Cursor, key: str) -> Response:
    found = _find(cursor, key)
    if not found:
        return 404, NOT_FOUND
    cursor.execute("SELECT 1 FROM entities WHERE ws_id = %s", (found["id"],))
    if found["name"] == DEFAULT_WORKSPACE or cursor.fetchone():
        return 400, {"message": "Workspace is not empty"}
    cursor.execute("DELETE FROM workspaces WHERE id = %s", (found["id"],))
    return 204, None
