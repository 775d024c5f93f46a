"""A chart repository on loopback, with one chart and an optional password."""

import base64
import functools
import http.server
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local import paths


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the folder, and responds with 401 without the expected credentials."""

    def __init__(self, *arguments: object, authorization: str, directory: str) -> None:
        self._authorization = authorization
        super().__init__(*arguments, directory=directory)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self._authorization and self.headers.get("Authorization") != self._authorization:
            self.send_error(401)
            return
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@dataclass(frozen=True)
class ChartRepository:
    """A running repository."""

    url: str
    folder: Path = field(repr=False)

    @classmethod
    @contextmanager
    def serving(
        cls, chart: str, folder: Path, *, username: str = "", password: str = ""
    ) -> "Iterator[ChartRepository]":
        """Packages the chart into the folder and serves it."""
        folder.mkdir()
        for command in (["package", chart, "--destination", str(folder)], ["repo", "index", str(folder)]):
            subprocess.run([paths.TOOLS / "helm", *command], check=True, capture_output=True)
        login = base64.b64encode(f"{username}:{password}".encode()).decode()
        handler = functools.partial(_Handler, authorization=f"Basic {login}" if password else "", directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield cls(f"http://127.0.0.1:{server.server_address[1]}", folder)
        server.shutdown()
        server.server_close()
