"""Servers in the place of the API server or of Kong's Admin API: what each sends, until the client has enough."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from tests.cluster.hostile_documents import broken_json
from tests.plugin import hostile_downloads
from tests.plugin.hostile_downloads import body, endless, raw, stalled

Send = Callable[[Any], None]
"""Writes to `wfile` of a handler."""

MAY_BE_GOOD = ("damaged(", "two lengths", "chunks and a length", "an unknown transfer encoding")
"""Responses of the corpus of downloads whose body is only refused because it is no rock, or may be."""


@contextmanager
def server() -> Iterator[tuple[str, list[Send]]]:
    """Yields the URL of a server, and a list whose last entry answers."""
    answers: list[Send] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.close_connection = True
            answers[-1](self)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *_: Any) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """The client goes away when it has enough."""

    listening = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}", answers
    finally:
        listening.shutdown()
        listening.server_close()


def document(content: Any, status: bytes = b"200 OK", headers: bytes = b"") -> Send:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    head = b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Type: application/json\r\n" + headers
    return raw(head + b"Content-Length: %d\r\n\r\n" % len(text) + text)


def bad_http() -> Iterator[tuple[str, Send]]:
    """What no client can use, whatever it asked for."""
    for name, send in hostile_downloads.answers():
        if not name.startswith(("Location", "HTTP 40", "HTTP 5", *MAY_BE_GOOD)):
            yield name, send
    for name, content in broken_json().items():
        yield name, document(content)
    yield "a list without an end", endless(b'HTTP/1.1 200 OK\r\n\r\n{"items": [', b'{"metadata": {}},' * 1_000)
    yield "an error page without an end", endless(b"HTTP/1.1 500 X\r\n\r\n", b"x" * 65_536)
    yield "an error of 10 MB", document({"message": "x" * 10_000_000}, b"500 X")
    yield "an error with control characters", document({"message": "\x1b[2J\r\nforged", "kind": "Status"}, b"400 X")
    yield "unauthorized", document({"kind": "Status", "message": "who?"}, b"401 X")
    yield "a wait of years", document({"message": "later"}, b"429 X", b"Retry-After: 99999999\r\n")
    yield "later, always", document({"message": "later"}, b"503 X", b"Retry-After: 0\r\n")
    yield "a login page with 200", body(b"<html>log in</html>", b"Content-Type: text/html\r\n")
    yield "a login page with 404", raw(b"HTTP/1.1 404 X\r\nContent-Length: 6\r\n\r\n<html>")
    yield "a wait", stalled


def pages_without_an_end() -> dict[str, Send]:
    """Lists of the Kubernetes API that never come to their last page."""
    numbers = count()
    items = [{"metadata": {"name": "x" * 1_000}}] * 1_000

    def fresh(request: Any) -> None:
        document({"kind": "PodList", "items": items, "metadata": {"continue": str(next(numbers))}})(request)

    def slow(request: Any) -> None:
        threading.Event().wait(0.05)
        document({"kind": "PodList", "items": [], "metadata": {"continue": str(next(numbers))}})(request)

    def expiring(request: Any) -> None:
        if "continue" in request.path:
            document({"kind": "Status", "message": "expired"}, b"410 Gone")(request)
        else:
            document({"kind": "PodList", "items": items, "metadata": {"continue": "next"}})(request)

    return {
        "the same token": document({"kind": "PodList", "items": items, "metadata": {"continue": "again"}}),
        "always another token": fresh,
        "slowly another token": slow,
        "a page that always expires": expiring,
        "a token that is none": document({"kind": "PodList", "items": [], "metadata": {"continue": {"a": []}}}),
    }
