"""Asks Kong's Admin API: plain documents in, plain documents out, and Kong's own words where it refuses.

Every request that is made here can be made again without harm: GET, PUT and DELETE by id
(https://developer.konghq.com/api/gateway/admin-ee/). So one whose connection broke, before or after Kong did the work,
and one that Kong could not do for the moment, is made again until the deadline.
"""

import http.client
import json
import ssl
import time
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

from traceable_kong.common.safe_text import kind_of
from traceable_kong.kong_admin.admin_connection import Connect
from traceable_kong.kong_admin.admin_listen import AdminError, Unavailable

Document = dict[str, Any]

DEADLINE_SECONDS = 30.0
"""For all that is asked of one client."""

REQUEST_SECONDS = 10.0
"""For one wait of one request."""

PAUSE_SECONDS = 0.5
PAGE_SIZE = 1000
"""The most that Kong takes (kong/api/endpoints.lua)."""

FOR_THE_MOMENT = (500, 502, 503, 504)
"""Kong without its database, or somebody in between without Kong."""

DEFAULT_WORKSPACE = "default"
"""Where no workspace is named; only the enterprise edition takes one in the path."""

_MENDS = {
    401: "kong.admin.tokenSecret names the Secret with the Kong-Admin-Token",
    403: "the token's role has to allow it",
    500: "Kong's log says why; often its database is away",
    405: "a Kong without a database takes no rows: kong.database off",
}


class HookFailed(AdminError):
    """An answer that is no success; the text has Kong's own message."""

    def __init__(self, status: int, text: str, document: Document) -> None:
        super().__init__(text)
        self.status = status
        self.document = document


class Client:
    """One Admin API. Every method raises AdminError: Refused with an answer, Silent without one.

    `what` is how errors name it. `base` is a path before all others. `patient` False makes every request once.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        what: str = "the Admin API",
        base: str = "",
        token: str | None = None,
        workspace: str = DEFAULT_WORKSPACE,
        deadline_seconds: float = DEADLINE_SECONDS,
        request_seconds: float = REQUEST_SECONDS,
        patient: bool = True,
    ) -> None:
        self._connect = connect
        self._connection: http.client.HTTPConnection | None = None
        self._what = what
        self._base = base.rstrip("/")
        self._token = token
        self.workspace = workspace
        self._within = "" if workspace == DEFAULT_WORKSPACE else f"/{quote(workspace, safe='')}"
        self._deadline = time.monotonic() + deadline_seconds
        self._request_seconds = request_seconds
        self._patient = patient

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; the next request makes another."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None

    def root(self) -> Document:
        """What the node says of itself: `plugins.available_on_server`, `configuration`.

        A token that is good for one workspace only sees it there, under another name
        (https://developer.konghq.com/gateway/entities/workspace/).
        """
        try:
            return self._ask("GET", "/")
        except HookFailed as problem:
            if problem.status not in (401, 403, 404) or not self._within:
                raise
        return self._ask("GET", f"{self._within}/kong")

    def get(self, path: str) -> Document | None:
        """One entity of the workspace, None where it is not there."""
        try:
            return self._ask("GET", self._within + path)
        except HookFailed as problem:
            if problem.status == 404:
                return None
            raise

    def list(self, path: str) -> list[Document]:
        """All entities of the workspace below a path, page by page."""
        found: list[Document] = []
        query = f"size={PAGE_SIZE}"
        while query:
            page = self._ask("GET", f"{self._within}{path}?{query}")
            found += page.get("data") or []
            # Only where it goes on: in a workspace, Kong leaves that out of the path.
            query = urlsplit(page.get("next") or "").query
        return found

    def put(self, path: str, body: Document) -> Document:
        """Makes an entity of the workspace so, whether it is there or not."""
        return self._ask("PUT", self._within + path, body)

    def delete(self, path: str) -> None:
        """Returns when an entity of the workspace is not there."""
        try:
            self._ask("DELETE", self._within + path)
        except HookFailed as problem:
            if problem.status != 404:
                raise

    def _ask(self, method: str, path: str, body: Document | None = None) -> Document:
        while True:
            try:
                return self._once(method, path, body)
            except AdminError as problem:
                self.close()
                if not self._patient or not _passes(problem) or time.monotonic() + PAUSE_SECONDS > self._deadline:
                    raise
            time.sleep(PAUSE_SECONDS)

    def _once(self, method: str, path: str, body: Document | None) -> Document:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token is not None:
            headers["Kong-Admin-Token"] = self._token
        seconds = max(0.1, min(self._request_seconds, self._deadline - time.monotonic()))
        try:
            if self._connection is None:
                self._connection = self._connect(seconds)
            content = None if body is None else json.dumps(body)
            self._connection.request(method, self._base + path, body=content, headers=headers)
            response = self._connection.getresponse()
            answer = response.read()
        except ssl.SSLCertVerificationError as problem:
            raise AdminError(
                f"{self._what} shows a certificate that is not trusted ({problem.verify_message}): kong.admin.caSecret "
                "names the Secret with its authority"
            ) from None
        except (OSError, http.client.HTTPException) as problem:
            raise Unavailable(f"{self._what} does not answer ({kind_of(problem)})") from None
        return self._document(f"{'' if method == 'GET' else method + ' '}{path}", response.status, answer)

    def _document(self, asked: str, status: int, answer: bytes) -> Document:
        try:
            document = json.loads(answer) if answer.strip() else {}
        except ValueError:
            document = None
        if status >= 400:
            said = _words(document, answer)
            if self._token:
                said = said.replace(self._token, "***")
            mend = f" ({_MENDS[status]})" if status in _MENDS else ""
            raise HookFailed(
                status,
                f"{self._what} answers {asked} with HTTP {status}{': ' if said else ''}{said}{mend}",
                document if isinstance(document, dict) else {},
            )
        if status >= 300 or not isinstance(document, dict):
            other = f"HTTP {status}" if status >= 300 else "something that is not JSON"
            raise AdminError(f"{self._what} answers {asked} with {other}: it is no Admin API")
        return document


def _passes(problem: AdminError) -> bool:
    """Whether it may be better in a moment."""
    return isinstance(problem, Unavailable) or (isinstance(problem, HookFailed) and problem.status in FOR_THE_MOMENT)


def _words(document: object, answer: bytes) -> str:
    """Kong's own: `message`, with the names of the fields in it (kong/db/errors.lua)."""
    if isinstance(document, dict):
        if document.get("message"):
            return str(document["message"])
        return json.dumps(document, sort_keys=True)[:300] if document else ""
    return " ".join(answer.decode(errors="replace").split())[:200]
