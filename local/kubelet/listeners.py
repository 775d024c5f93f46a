"""Small HTTP servers on the loopback address of a pod, and these addresses.

Each pod has an address in 127.0.0.0/8, in a block that depends on the clone, and its containers' ports are there. A
port that another program uses on all addresses is replaced by a free one; a port-forward works in both cases.
"""

import http.server
import itertools
import json
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

IDLE_SECONDS = 120
NO_CERTIFICATE = (
    b"<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n<body>\r\n"
    b"<center><h1>400 Bad Request</h1></center>\r\n<center>No required SSL certificate was sent</center>\r\n"
    b"</body>\r\n</html>\r\n"
)

Handle = Callable[
    [str, str, dict[str, str], bytes, dict[str, str]], tuple[int, Any] | tuple[int, Any, Mapping[str, str]] | None
]
"""(method, path, query, body, headers with lowercase names) -> (status, JSON body), also with further headers, or None
to close the connection."""


class Addresses:
    """Allocates an address to every pod of this clone. A pod keeps the address that it has."""

    def __init__(self, clone: Path) -> None:
        self._block = 2 + zlib.crc32(str(clone).encode()) % 253
        self._numbers = itertools.count()
        self._given: set[str] = set()

    def allocate(self, before: str | None = None) -> str:
        """Returns an unused address, or `before` if that is an address of this clone."""
        if before and before.startswith(f"127.{self._block}."):
            self._given.add(before)
            return before
        for number in self._numbers:
            address = f"127.{self._block}.{number // 250 % 250}.{1 + number % 250}"
            if address not in self._given:
                self._given.add(address)
                return address
        raise AssertionError("itertools.count() has no end")

    def release(self, address: str) -> None:
        self._given.discard(address)


def free_port(address: str, wanted: int) -> int:
    """Returns `wanted` if nothing listens there, otherwise another port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, wanted))
        except OSError:
            probe.bind((address, 0))
        return int(probe.getsockname()[1])


class Listener:
    """A server with JSON responses, with TLS if a context is given. It runs in threads of its own until `close()`.

    With `asks_certificate`, a client without a certificate gets an error response, as from nginx.
    """

    def __init__(
        self,
        address: str,
        port: int,
        handle: Handle,
        *,
        tls: ssl.SSLContext | None = None,
        asks_certificate: bool = False,
    ) -> None:
        behavior = {"handle_request": staticmethod(handle), "asks_certificate": asks_certificate}
        handler = type("Handler", (_Handler,), behavior)
        self._server = _Server((address, port), handler)
        self._server.tls = tls
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the connection's own thread, so that a client that does not speak TLS cannot block the others.
        if self.tls:
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except OSError:
                return
        try:
            super().finish_request(request, client_address)
        finally:
            if self.tls:
                request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores clients that close their connection."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    wbufsize = -1  # One packet for each response.
    handle_request: Handle
    asks_certificate = False

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.asks_certificate and not (isinstance(self.connection, ssl.SSLSocket) and self.connection.getpeercert()):
            self._send(400, "text/html", NO_CERTIFICATE)
            self.close_connection = True
            return
        target = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.handle_request(self.command, target.path, dict(parse_qsl(target.query)), body, headers)
        if answer is None:
            self.close_connection = True
            return
        status, document, *more = answer
        content = b"" if document is None else json.dumps(document).encode()
        self._send(status, "application/json; charset=utf-8", content, more[0] if more else {})

    def _send(self, status: int, kind: str, content: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.send_response_only(status)
        self.send_header("Date", self.date_time_string())
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def log_message(self, format: str, *arguments: Any) -> None:
        """Logs nothing: an ingress controller sends requests every few seconds."""
