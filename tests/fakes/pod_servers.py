"""An Admin API, a TME or another server at the other end of a port-forward: real HTTP over a real socket."""

import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.fakes.fake_kubernetes import Serve
from tests.fakes.plugin_schemas import SHOWN

Answers = Callable[[str], tuple[int, bytes]]
"""Status and body for a path."""


def http(answers: Answers, *, asked: list[str] | None = None, gone: threading.Event | None = None) -> Serve:
    """Serves one connection; `gone` is set when the other end has closed it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if asked is not None:
                asked.append(self.path)
            status, body = answers(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    def serve(channel: socket.socket) -> None:
        # Whoever asks may be gone before an empty answer is written.
        with channel, suppress(OSError):
            Handler(channel, ("the test", 0), None)  # type: ignore[arg-type]
        if gone is not None:
            gone.set()

    return serve


def tls(certificate: Path, serve: Serve) -> Serve:
    """The same behind TLS."""

    def served(channel: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with context.wrap_socket(channel, server_side=True) as wrapped:
            serve(wrapped)

    return served


def talking(text: bytes) -> Serve:
    """Answers every request with this text, and closes the connection."""

    def serve(channel: socket.socket) -> None:
        with channel:
            channel.recv(65_536)
            channel.sendall(text)

    return serve


def admin_api(plugins: list[dict[str, Any]], available: dict[str, Any], *, page: int = 1000) -> Answers:
    """Kong's Admin API with pages of plugins, and without routes of services."""

    def answers(path: str) -> tuple[int, bytes]:
        if path == "/":
            return 200, json.dumps(
                {
                    "plugins": {"available_on_server": available},
                    "configuration": {"lua_package_path": "/opt/?.lua;/opt/?/init.lua;;"},
                }
            ).encode()
        if path in SHOWN:
            return 200, json.dumps(SHOWN[path]).encode()
        if path.startswith("/services/"):
            return 200, json.dumps({"data": [], "next": None}).encode()
        start = int(path.split("offset=")[1]) if "offset=" in path else 0
        after = f"/plugins?offset={start + page}" if start + page < len(plugins) else None
        return 200, json.dumps({"data": plugins[start : start + page], "next": after}).encode()

    return answers
