"""An API server on loopback that returns what a test sets, and records its requests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class ApiServer:
    """`answers` are given one after another: status, body (a document or bytes), headers."""

    url: str = ""
    answers: list[tuple[int, Any, list[tuple[str, str]]]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def will(self, status: int, body: Any, *headers: tuple[str, str]) -> None:
        self.answers.append((status, body, list(headers)))

    def kubeconfig(self, **user: str) -> str:
        return kubeconfig("here", here=self.url, user=user)


def kubeconfig(current: str, *, user: dict[str, str] | None = None, **servers: str) -> str:
    """A kubeconfig with a context for each server, and one user for all."""
    return yaml.safe_dump(
        {
            "current-context": current,
            "contexts": [{"name": name, "context": {"cluster": f"c-{name}", "user": "u"}} for name in servers],
            "clusters": [{"name": f"c-{name}", "cluster": {"server": url}} for name, url in servers.items()],
            "users": [{"name": "u", "user": user or {}}],
        }
    )


@contextmanager
def serving() -> Iterator[ApiServer]:
    made = ApiServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            query = dict(parse_qsl(parts.query))
            made.requests.append(
                Request(
                    self.command, parts.path, query, {name.lower(): text for name, text in self.headers.items()}, body
                )
            )
            status, answer, headers = made.answers.pop(0)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in [("Content-Length", str(len(content))), *headers]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = answer

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
