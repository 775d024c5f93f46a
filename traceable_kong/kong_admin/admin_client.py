"""A client of Kong's Admin API: plain documents in and out, and Kong's own message where it reports an error.

Every request can be repeated without harm: GET, PUT and DELETE by id
(https://developer.konghq.com/api/gateway/admin-ee/). A request is therefore repeated until the deadline if its
connection broke, before or after Kong did the work, or if Kong could not do it at the moment.
"""

import http.client
import json
import ssl
import time
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

from traceable_kong.common.foreign_documents import UnreadableDocument, json_document
from traceable_kong.common.http_exchange import TooLong, exchange
from traceable_kong.common.safe_text import kind_of
from traceable_kong.common.waiting import NotYet, wait_until
from traceable_kong.kong_admin.admin_connection import Connect
from traceable_kong.kong_admin.admin_errors import AdminError, ErrorResponse, Unavailable

Document = dict[str, Any]

DEADLINE_SECONDS = 30.0
"""For all requests of one client together."""

REQUEST_SECONDS = 10.0
"""For a request and its response."""

SIZE_LIMIT = 16 * 1024 * 1024
"""Bytes of a response. A page of 1000 plugin entities has a tenth of that."""

LIST_LIMIT = 100
"""Pages of a list."""

PAUSE_SECONDS = 0.5
PAGE_SIZE = 1000
"""The largest page that Kong returns (kong/api/endpoints.lua)."""

TEMPORARY = (500, 502, 503, 504)
"""Kong without its database, or a proxy without Kong."""

DEFAULT_WORKSPACE = "default"
"""Where the config names no workspace; only Kong Enterprise accepts one in the path."""

_FIXES = {
    401: "kong.admin.tokenSecret names the Secret with the Kong-Admin-Token",
    403: "the role of the token must allow it",
    500: "Kong's log has the reason; often its database is unavailable",
    405: "a Kong without a database accepts no plugin entities: set kong.database to off",
}


class AdminClient:
    """A client of one Admin API. Every method raises ErrorResponse, Unavailable or another AdminError.

    `name` is how errors call the Admin API. `base` is a path before all others. `retries` False sends every request
    once.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        name: str = "the Admin API",
        base: str = "",
        token: str | None = None,
        workspace: str = DEFAULT_WORKSPACE,
        deadline_seconds: float = DEADLINE_SECONDS,
        request_seconds: float = REQUEST_SECONDS,
        retries: bool = True,
    ) -> None:
        self._connect = connect
        self._connection: http.client.HTTPConnection | None = None
        self._name = name
        self._base = base.rstrip("/")
        self._token = token
        self.workspace = workspace
        self._workspace_path = "" if workspace == DEFAULT_WORKSPACE else f"/{quote(workspace, safe='')}"
        self._deadline = time.monotonic() + deadline_seconds
        self._request_seconds = request_seconds
        self._retries = retries

    def __enter__(self) -> "AdminClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; the next request opens another."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None

    def root(self) -> Document:
        """What the node reports about itself: `plugins.available_on_server`, `configuration`.

        A token for one workspace may only read it there, at another path
        (https://developer.konghq.com/gateway/entities/workspace/).
        """
        try:
            return self._request("GET", "/")
        except ErrorResponse as problem:
            if problem.status not in (401, 403, 404) or not self._workspace_path:
                raise
        return self._request("GET", f"{self._workspace_path}/kong")

    def get(self, path: str) -> Document | None:
        """One entity of the workspace; None where it does not exist."""
        try:
            return self._request("GET", self._workspace_path + path)
        except ErrorResponse as problem:
            if problem.status == 404:
                return None
            raise

    def list(self, path: str) -> list[Document]:
        """All entities of the workspace below a path."""
        found: list[Document] = []
        queries = [f"size={PAGE_SIZE}"]
        while query := queries[-1]:
            page = self._request("GET", f"{self._workspace_path}{path}?{query}")
            # Lua's empty table may be an empty object.
            data = page["data"] or [] if "data" in page else None
            if not isinstance(data, list) or not all(map(_is_entity, data)):
                raise self._not_kong(path, "a list without entities")
            found += data
            # Only its query: in a workspace, Kong omits the workspace from the path.
            queries.append(_query(page.get("next")))
            if queries[-1] in queries[:-1] or len(queries) > LIST_LIMIT:
                raise self._not_kong(path, "pages without an end")
        return found

    def put(self, path: str, body: Document) -> Document:
        """Creates or replaces an entity of the workspace."""
        return self._request("PUT", self._workspace_path + path, body)

    def delete(self, path: str) -> None:
        """Deletes an entity of the workspace, if it exists."""
        try:
            self._request("DELETE", self._workspace_path + path)
        except ErrorResponse as problem:
            if problem.status != 404:
                raise

    def _request(self, method: str, path: str, body: Document | None = None) -> Document:
        def attempt(_: float) -> Document | NotYet:
            try:
                return self._send(method, path, body)
            except AdminError as problem:
                self.close()
                if not self._retries or not _is_temporary(problem):
                    raise
                last = problem
                return NotYet(lambda: last)

        return wait_until(attempt, seconds=self._deadline - time.monotonic(), interval_seconds=PAUSE_SECONDS)

    def _send(self, method: str, path: str, body: Document | None) -> Document:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token is not None:
            headers["Kong-Admin-Token"] = self._token
        seconds = max(0.1, min(self._request_seconds, self._deadline - time.monotonic()))
        try:
            if self._connection is None:
                self._connection = self._connect(seconds)
            response = exchange(
                self._connection,
                method,
                self._base + path,
                body=None if body is None else json.dumps(body),
                headers=headers.items(),
                seconds=seconds,
                limit=SIZE_LIMIT,
            )
        except ssl.SSLCertVerificationError as problem:
            raise AdminError(
                f"{self._name} has a certificate that is not trusted ({problem.verify_message}): set "
                "kong.admin.caSecret to the Secret with its certificate authority"
            ) from None
        except TooLong:
            raise self._not_kong(path, f"more than {SIZE_LIMIT // 1024**2} MiB") from None
        except (http.client.InvalidURL, ValueError):
            raise AdminError(
                f"{self._name} cannot be asked for {path}: its URL is not valid, or a name cannot be sent. Nothing was "
                "sent. Check kong.admin.url, kong.admin.workspace, kong.admin.route and kong.admin.service"
            ) from None
        except (OSError, http.client.HTTPException) as problem:
            raise Unavailable(f"{self._name} does not answer ({kind_of(problem)})") from None
        return self._document(f"{'' if method == 'GET' else method + ' '}{path}", response.status, response.body)

    def _not_kong(self, request: str, found: str) -> AdminError:
        return AdminError(f"{self._name} answers {request} with {found}: it is not an Admin API of Kong")

    def _document(self, request: str, status: int, answer: bytes) -> Document:
        problem = "something that is not a JSON object"
        try:
            # Only a deletion has no content.
            document = {} if request.startswith("DELETE ") and not answer.strip() else json_document(answer)
        except UnreadableDocument as unreadable:
            document, problem = None, f"JSON that cannot be read, because {unreadable}"
        except ValueError:
            document = None
        if status >= 400:
            message = _message(document, answer)
            if self._token:
                message = message.replace(self._token, "***")
            fix = f" ({_FIXES[status]})" if status in _FIXES else ""
            raise ErrorResponse(
                status,
                f"{self._name} answers {request} with HTTP {status}{': ' if message else ''}{message}{fix}",
                document if isinstance(document, dict) else {},
            )
        if status >= 300 or not isinstance(document, dict):
            raise self._not_kong(request, f"HTTP {status}" if status >= 300 else problem)
        return document


def path_of(kind: str, name: str) -> str:
    """The path of an entity by its id or name: Kong allows letters of all alphabets in names."""
    # A record can have half a character (a surrogate), which no name in Kong has.
    return f"/{kind}/{quote(name, safe='', errors='replace')}"


def _is_entity(item: object) -> bool:
    if not (isinstance(item, dict) and isinstance(item.get("id", ""), str)):
        return False
    tags = item.get("tags") or []
    return isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)


def _query(following: object) -> str:
    try:
        return urlsplit(following).query if isinstance(following, str) else ""
    except ValueError:
        return ""


def _is_temporary(problem: AdminError) -> bool:
    return isinstance(problem, Unavailable) or (isinstance(problem, ErrorResponse) and problem.status in TEMPORARY)


def _message(document: object, answer: bytes) -> str:
    """Kong's own `message`, which names the fields (kong/db/errors.lua)."""
    if isinstance(document, dict):
        if document.get("message"):
            return str(document["message"])[:1000]
        return json.dumps(document, sort_keys=True)[:300] if document else ""
    return " ".join(answer.decode(errors="replace").split())[:200]
