"""The API server's responses: documents, and its own errors."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from traceable_kong.common.foreign_documents import UnreadableDocument, json_document
from traceable_kong.common.http_exchange import HttpResponse
from traceable_kong.common.safe_text import PlainError, printable

Document = dict[str, Any]

RETRY_SECONDS = 1.0
"""Before a request is repeated, at least, and where the server does not say how long."""

NO_SUCH_PATH = b"404 page not found"
"""The API server's answer for an API that it does not have; every other 404 is a Status document."""


class Unreachable(PlainError):
    """The API server cannot be reached, or the kubeconfig names none."""


class ApiError(PlainError):
    """The API server answered with an error; the text is its own message.

    `warnings` are those of the response. `retry_seconds` is not None if the server could not do it at the moment.
    """

    warnings: tuple[str, ...] = ()
    retry_seconds: float | None = None

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason

    @property
    def is_temporary(self) -> bool:
        """True where the same request may succeed later: the server is overloaded, or broken inside."""
        return self.status == 429 or self.status >= 500


class ApiResponse(Document):
    """The document of a response; `warnings` are the texts of its Warning headers (RFC 7234, admission policies).

    `date` is the server's own time, or this machine's where the response has none. `size` is its length in bytes.
    """

    warnings: tuple[str, ...] = ()
    date: datetime
    size: int = 0


def document_of(response: HttpResponse) -> ApiResponse:
    """Raises ApiError."""
    problem = "without a JSON object"
    try:
        document = json_document(response.body)
    except UnreadableDocument as unreadable:
        document, problem = None, f"with JSON that cannot be read, because {unreadable}"
    except ValueError:
        document = None
    warnings = tuple(printable(_warning_text(value)) for value in response.headers.get_all("Warning", []))
    if response.status >= 400:
        raise _error(response, document if isinstance(document, dict) else {}, warnings)
    if response.status >= 300 or not isinstance(document, dict):
        # As an empty document it would mean that nothing exists.
        kind = response.headers.get("Content-Type") or "no content type"
        raise not_the_api(f"HTTP {response.status} {problem} ({printable(kind)[:80]})")
    result = ApiResponse(document)
    result.warnings = warnings
    result.date = _date(response.headers.get("Date"))
    result.size = len(response.body)
    return result


def _error(response: HttpResponse, document: Document, warnings: tuple[str, ...]) -> ApiError:
    status = response.status
    if status == 404 and document.get("kind") != "Status" and response.body.strip() != NO_SUCH_PATH:
        # As the answer of an API server it would mean that nothing exists.
        return not_the_api("HTTP 404 that no API server sends")
    message = (
        document.get("message") or response.body[:500].decode(errors="replace") or f"HTTP {status} without a message"
    )
    problem = ApiError(status, str(document.get("reason") or ""), str(message)[:2000])
    problem.warnings = warnings
    if problem.is_temporary:
        problem.retry_seconds = _retry_seconds(response)
    return problem


def _retry_seconds(response: HttpResponse) -> float | None:
    """When to repeat a request that the server did not work on: after seconds, or at a date (RFC 9110, 10.2.3)."""
    said = response.headers.get("Retry-After") or ""
    if said.isdecimal():
        return max(RETRY_SECONDS, float(said[:6]))
    if date := _parsed(said):
        return max(RETRY_SECONDS, (date - _date(response.headers.get("Date"))).total_seconds())
    return RETRY_SECONDS if response.status == 503 else None


def not_the_api(what: str) -> ApiError:
    """Another server, or one that does not follow the API, has answered."""
    return ApiError(
        0,
        "NotTheApi",
        f"{what}: this is not the response of an API server, but perhaps the login page of a proxy",
    )


def _date(header: str | None) -> datetime:
    return _parsed(header or "") or datetime.now(UTC)


def _parsed(header: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _warning_text(header: str) -> str:
    """`299 - "text"` -> text."""
    return header.split('"', 1)[-1].rsplit('"', 1)[0].replace('\\"', '"')
