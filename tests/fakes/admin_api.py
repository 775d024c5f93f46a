"""Kong's Admin API for tests: real HTTP or HTTPS, entities in memory, and broken connections.

Responses are those that Kong documents (https://developer.konghq.com/api/gateway/admin-ee/) and its sources give
(kong/api/endpoints.lua, kong/db/errors.lua). Entities are not checked against a schema.
"""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.plugin_schemas import SHOWN

Document = dict[str, Any]


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Admin:
    """`plugins` are `{workspace: {id: entity}}`, `routes` and `services` are `{name: id}`.

    `answers` are returned first: (status, body), with a Document or bytes. `drops` says for the next requests when the
    connection breaks: `before` or `after` Kong did the work, "" not at all.
    """

    url: str = ""
    token: str | None = None
    configuration: Document = field(
        default_factory=lambda: {
            "lua_package_path": "/opt/?.lua;;",
            "db_update_frequency": 0.01,
            "db_update_propagation": 0,
            "worker_consistency": "eventual",
            "worker_state_update_frequency": 0.01,
        }
    )
    plugins: dict[str, dict[str, Document]] = field(default_factory=lambda: {"default": {}})
    routes: dict[str, str] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    available: dict[str, str] = field(default_factory=lambda: {"traceable": "2.1.2"})
    page: int = 1000
    answers: list[tuple[int, Any]] = field(default_factory=list)
    drops: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(item.method, item.path) for item in self.requests]

    @property
    def entities(self) -> dict[str, Document]:
        return self.plugins["default"]

    def serve(self, channel: socket.socket) -> None:
        """Serves the other end of a port-forward."""
        with channel, suppress(OSError):
            _handler(self)(channel, ("the test", 0), None)  # type: ignore[arg-type]

    def answer(self, request: Request) -> tuple[int, Any]:
        if self.answers:
            return self.answers.pop(0)
        if self.token is not None and request.headers.get("kong-admin-token") != self.token:
            return 401, {"message": "Unauthorized"}
        if request.path == "/":
            known = {name: {"version": version} for name, version in self.available.items()}
            return 200, {"plugins": {"available_on_server": known}, "configuration": self.configuration}
        if request.path in SHOWN:
            return 200, SHOWN[request.path]
        first, *rest = request.path.strip("/").split("/")
        if first in ("plugins", "routes", "services"):
            first, rest = "default", [first, *rest]
        if first not in self.plugins:
            return 404, {"message": f"Workspace '{first}' not found"}
        return self._entity(first, rest, request)

    def _entity(self, workspace: str, path: list[str], request: Request) -> tuple[int, Any]:
        entities = self.plugins[workspace]
        match path, request.method:
            case ["plugins"], "GET":
                return 200, self._page(list(entities.values()), request.query)
            case ["plugins", id_], "GET":
                return (200, entities[id_]) if id_ in entities else (404, {"message": "Not found"})
            case ["plugins", id_], "DELETE":
                entities.pop(id_, None)
                return 204, b""
            case ["plugins", id_], "PUT":
                return self._put(entities, id_, request.body)
            case ["routes" | "services" as kind, name], "GET":
                known: dict[str, str] = getattr(self, kind)
                found = known.get(name) or (name if name in known.values() else None)
                return (200, {"id": found, "name": name}) if found else (404, {"message": "Not found"})
        return 404, {"message": "Not found"}

    def _put(self, entities: dict[str, Document], id_: str, body: Document) -> tuple[int, Any]:
        bound = {key: body.get(key) for key in ("route", "service", "consumer", "consumer_group")}
        entity = {"id": id_, "enabled": True, "tags": None, **bound, **body}
        entity["config"] = {"default_of_kongs": 1, **entity["config"]}
        for other in entities.values():
            if other["id"] != id_ and all(other.get(key) == entity.get(key) for key in ("name", *bound)):
                return 409, {
                    "code": 5,
                    "name": "unique constraint violation",
                    "message": "UNIQUE violation detected on '{consumer=null,name=\"traceable\",route=null}'",
                }
        entities[id_] = entity
        return 200, entity

    def _page(self, entities: list[Document], query: dict[str, str]) -> Document:
        size, start = min(self.page, int(query.get("size", 100))), int(query.get("offset", 0))
        after = start + size if start + size < len(entities) else None
        # Kong omits the workspace too.
        return {
            "data": entities[start : start + size],
            "next": f"/plugins?offset={after}&size={size}" if after else None,
        }


def _handler(admin: Admin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            headers = {name.lower(): text for name, text in self.headers.items()}
            request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            admin.requests.append(request)
            drop = admin.drops.pop(0) if admin.drops else ""
            if drop == "before":
                self.close_connection = True
                return
            status, answer = admin.answer(request)
            if drop == "after":
                self.close_connection = True
                return
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_DELETE = do_POST = do_PATCH = handle_one

        def log_message(self, *_: Any) -> None: ...

    return Handler


@contextmanager
def serving(certificate: Path | None = None, *, authority: Path | None = None) -> Iterator[Admin]:
    """Serves on loopback: with a `certificate` over TLS, with an `authority` for client certificates of it only."""
    made = Admin()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(authority)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    made.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
