"""Writes a preview as the note of a merge request, or drift as an issue, in GitLab; later runs edit or close them.

    python -m scripts.gitlab_report note --text comment.md
    python -m scripts.gitlab_report issue --stack dev --state drift --text report.md

Works in a GitLab CI job, with a token for the API in GITLAB_TOKEN. The first line of the text is hidden, and finds what
an earlier run wrote; only what the token's own user wrote counts, because anyone can write the same line.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

LABEL = "drift"
TIMEOUT_SECONDS = 30


class Api:
    """GitLab's REST API. Raises requests.RequestException."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["PRIVATE-TOKEN"] = token

    def send(self, method: str, path: str, **data: str) -> Any:
        return self._exchange(method, path, json=data).json()

    def find(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Every entry of a list, from all its pages."""
        page = "1"
        while page:
            response = self._exchange("GET", path, params={**query, "per_page": "100", "page": page})
            yield from response.json()
            page = response.headers.get("X-Next-Page", "")

    def _exchange(self, method: str, path: str, **options: Any) -> requests.Response:
        response = self._session.request(method, f"{self._url}/{path}", timeout=TIMEOUT_SECONDS, **options)
        response.raise_for_status()
        return response


def write_note(api: Api, notes: str, text: str) -> None:
    """Creates or edits the note with the text's first line; `notes` is the path of the merge request's notes."""
    found = _own(api, api.find(notes, sort="asc"), "body", text)
    if found:
        api.send("PUT", f"{notes}/{found['id']}", body=text)
    else:
        api.send("POST", notes, body=text)


def write_issue(api: Api, issues: str, text: str, *, stack: str, state: str, run: str) -> None:
    """Opens, edits or closes the issue with the text's first line, by what scripts.drift_report said."""
    found = _own(api, api.find(issues, state="opened", labels=LABEL), "description", text)
    if state == "drift" and not found:
        api.send("POST", issues, title=f"Stack {stack} has drifted", description=text, labels=LABEL)
    elif state == "drift" and found:
        api.send("PUT", f"{issues}/{found['iid']}", description=text)
    elif state == "none" and found:
        api.send("POST", f"{issues}/{found['iid']}/notes", body=f"The drift is gone: [this job]({run}) found none.")
        api.send("PUT", f"{issues}/{found['iid']}", state_event="close")
    elif found:
        said = f"[This job]({run}) could not determine whether the drift is gone."
        api.send("POST", f"{issues}/{found['iid']}/notes", body=said)


def _own(api: Api, entries: Iterator[dict[str, Any]], field: str, text: str) -> dict[str, Any] | None:
    """The first entry of the token's user that begins with the first line of `text`."""
    user, marker = api.send("GET", "user")["id"], text.partition("\n")[0]
    return next((e for e in entries if e["author"]["id"] == user and (e[field] or "").startswith(marker)), None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.gitlab_report")
    commands = parser.add_subparsers(dest="command", required=True)
    note, issue = (commands.add_parser(name) for name in ("note", "issue"))
    issue.add_argument("--stack", required=True)
    issue.add_argument("--state", required=True, choices=["drift", "none", "unknown"])
    for command in (note, issue):
        command.add_argument("--text", type=Path, required=True)
    options = parser.parse_args()
    text = options.text.read_text()
    if not os.environ.get("GITLAB_TOKEN"):
        print(
            "error: The variable GITLAB_TOKEN is not set, so GitLab cannot be asked. Add it as docs/workflows.md says."
        )
        return 1
    api = Api(os.environ["CI_API_V4_URL"], os.environ["GITLAB_TOKEN"])
    project = f"projects/{os.environ['CI_PROJECT_ID']}"
    try:
        if options.command == "note":
            write_note(api, f"{project}/merge_requests/{os.environ['CI_MERGE_REQUEST_IID']}/notes", text)
        else:
            run = os.environ["CI_JOB_URL"]
            write_issue(api, f"{project}/issues", text, stack=options.stack, state=options.state, run=run)
    except requests.RequestException as problem:
        print(f"error: GitLab did not accept the {options.command}: {problem}. Its token needs the scope `api`.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
