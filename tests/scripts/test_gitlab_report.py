"""Notes and issues in GitLab, on a server that knows the part of its API that they need."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts import gitlab_report
from scripts.drift_report import marker as drift_marker
from scripts.preview_comment import marker as preview_marker

ME, OTHER = {"id": 7}, {"id": 8}
NOTES = "/projects/1/merge_requests/2/notes"
ISSUES = "/projects/1/issues"
DRIFT = f"{drift_marker('dev')}\nnew"


class Handler(BaseHTTPRequestHandler):
    """One entry on each page of a list; records what was written."""

    entries: list[dict[str, Any]]
    asked: list[str]
    written: list[tuple[str, dict[str, str]]]
    status: int

    def _answer(self, value: Any, next_page: str = "") -> None:
        self.send_response(self.status)
        self.send_header("X-Next-Page", next_page)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def do_GET(self) -> None:
        assert self.headers["PRIVATE-TOKEN"] == "secret"
        if self.path == "/user":
            return self._answer(ME)
        self.asked.append(self.path)
        page = int(self.path.rpartition("page=")[2])
        self._answer(self.entries[page - 1 : page], str(page + 1) if page < len(self.entries) else "")

    def _write(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.written.append((f"{self.command} {self.path}", body))
        self._answer({})

    do_POST = do_PUT = _write

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def gitlab(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Handler]]:
    handler = type("Fresh", (Handler,), {"entries": [], "asked": [], "written": [], "status": 200})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {
        "CI_API_V4_URL": f"http://127.0.0.1:{server.server_port}",
        "CI_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "2",
        "CI_JOB_URL": "URL",
        "GITLAB_TOKEN": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    yield handler
    server.shutdown()
    server.server_close()


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, *command: str) -> int:
    (folder / "text.md").write_text(text)
    monkeypatch.setattr("sys.argv", ["gitlab_report", *command, "--text", str(folder / "text.md")])
    return gitlab_report.main()


def test_one_note_is_created_or_edited(gitlab: type[Handler], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = f"{preview_marker('dev')}\nnew"
    gitlab.entries = [
        {"id": 1, "author": OTHER, "body": text},
        {"id": 2, "author": ME, "body": f"{preview_marker('dev2')}\n"},
    ]
    assert run(monkeypatch, tmp_path, text, "note") == 0
    assert gitlab.written == [(f"POST {NOTES}", {"body": text})]

    gitlab.written.clear()
    gitlab.entries.append({"id": 3, "author": ME, "body": f"{preview_marker('dev')}\nold"})
    assert run(monkeypatch, tmp_path, text, "note") == 0
    assert gitlab.written == [(f"PUT {NOTES}/3", {"body": text})]


@pytest.mark.parametrize(
    ("state", "exists", "written"),
    [
        (
            "drift",
            False,
            [(f"POST {ISSUES}", {"title": "Stack dev has drifted", "description": DRIFT, "labels": "drift"})],
        ),
        ("drift", True, [(f"PUT {ISSUES}/4", {"description": DRIFT})]),
        ("none", False, []),
        (
            "none",
            True,
            [
                (f"POST {ISSUES}/4/notes", {"body": "The drift is gone: [this job](URL) found none."}),
                (f"PUT {ISSUES}/4", {"state_event": "close"}),
            ],
        ),
        ("unknown", False, []),
        (
            "unknown",
            True,
            [(f"POST {ISSUES}/4/notes", {"body": "[This job](URL) could not determine whether the drift is gone."})],
        ),
    ],
)
def test_there_is_one_issue_while_the_stack_has_drifted(
    gitlab: type[Handler],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    state: str,
    exists: bool,
    written: list[tuple[str, dict[str, str]]],
) -> None:
    gitlab.entries = [{"iid": 3, "author": OTHER, "description": DRIFT}, {"iid": 9, "author": ME, "description": None}]
    if exists:
        gitlab.entries.append({"iid": 4, "author": ME, "description": f"{drift_marker('dev')}\nold"})
    assert run(monkeypatch, tmp_path, DRIFT, "issue", "--stack", "dev", "--state", state) == 0
    assert gitlab.written == written
    assert all("state=opened" in path and "labels=drift" in path for path in gitlab.asked)


def test_a_refused_token_fails_the_job_and_is_not_shown(
    gitlab: type[Handler], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gitlab.status = 401
    assert run(monkeypatch, tmp_path, DRIFT, "note") == 1
    said = capsys.readouterr().out
    assert "GitLab did not accept the note: 401" in said and "secret" not in said

    monkeypatch.setenv("GITLAB_TOKEN", "")
    assert run(monkeypatch, tmp_path, DRIFT, "note") == 1
    assert "GITLAB_TOKEN is not set" in capsys.readouterr().out
