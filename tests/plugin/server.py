"""An HTTPS server on loopback, with a certificate authority of its own, that answers as a test tells it to."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.fakes.self_signed import self_signed

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        self.close_connection = True
        self.server.answers[self.path](self)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answers: dict[str, Answer]
    requests: list[tuple[str, dict[str, str]]]

    def handle_error(self, *_: object) -> None:
        """A client that goes away is what some tests are about."""


@dataclass
class HttpsServer:
    """`answers` is `{path: what to do}`; `requests` is what came, `(path, headers)`."""

    url: str
    certificate: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def serving(folder: Path) -> Iterator[HttpsServer]:
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    for path, text in zip((certificate, key), self_signed(folder.name), strict=True):
        path.write_text(text)
    server = _Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    described = HttpsServer(url=f"https://127.0.0.1:{server.server_port}", certificate=certificate)
    server.answers = described.answers
    server.requests = described.requests
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield described
    finally:
        server.shutdown()
        server.server_close()
