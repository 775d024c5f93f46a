"""An API server with TLS that says who asks: by which token, which client certificate and which impersonation.

It has the same answer for every path, which is also what clients look for first: a version, and a list of kinds.
"""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.fakes.authority import Authority

WHO = "/api/v1/whos/it"
DISCOVERY = {
    "major": "1",
    "minor": "36",
    "resources": [{"kind": "Who", "name": "whos", "namespaced": False}],
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        connection: Any = self.connection
        certificate = connection.getpeercert() or {}
        names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
        impersonated = [
            [name, value] for name, value in self.headers.items() if name.lower().startswith("impersonate-")
        ]
        who = {
            "path": self.path,
            "authorization": self.headers.get("Authorization", ""),
            "certificate": names[0] if names else "",
            "impersonated": sorted([name.lower(), value] for name, value in impersonated),
        }
        document = {"kind": "Who", "apiVersion": "v1", "metadata": {"name": "it"}, "who": who, **DISCOVERY}
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def who_server(authority: Authority, folder: Path, *, days: int = 1) -> Iterator[int]:
    """Yields the port. The server's certificate has expired if `days` is negative."""
    pem, ca = folder / f"server{days}.pem", folder / "authority.pem"
    pem.write_text("".join(authority.issue("a server", days=days)))
    ca.write_text(authority.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(ca)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
