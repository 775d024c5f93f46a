"""One HTTP request and its response, with an end: the whole exchange has a time limit, and the body a size limit."""

import http.client
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from traceable_kong.common.safe_text import PlainError
from traceable_kong.common.time_limit import within

PIECE_BYTES = 64 * 1024


class TooLong(PlainError):
    """The body of a response is longer than the limit."""


@dataclass(frozen=True, kw_only=True)
class HttpResponse:
    """A response that was read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    *,
    body: str | None,
    headers: Iterable[tuple[str, str]],
    seconds: float,
    limit: int,
    cut: bool = False,
) -> HttpResponse:
    """Sends a request, over a new connection where there is none yet, and reads the response.

    With `cut`, a body that is longer than `limit` bytes ends there. A header `Host` replaces the connection's.

    Raises OSError (TimeoutError after so many seconds), HTTPException, ValueError for what cannot be sent, or TooLong
    for more than `limit` bytes. The connection can be used again only if nothing was raised.
    """

    sent = tuple(headers)

    def work() -> HttpResponse:
        content = None if body is None else body.encode()
        connection.putrequest(method, path, skip_host=any(name.lower() == "host" for name, _ in sent))
        for name, value in sent:
            connection.putheader(name, value.encode())
        if content is not None:
            connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content)
        response = connection.getresponse()
        return HttpResponse(status=response.status, headers=response.headers, body=_body(response, limit, cut))

    connection.timeout = seconds
    if connection.sock is not None:
        connection.sock.settimeout(seconds)
    return within(seconds, work, stop=lambda: interrupt(connection))


def _body(response: http.client.HTTPResponse, limit: int, cut: bool) -> bytes:
    body, piece = bytearray(), bytearray(PIECE_BYTES)
    # Into a buffer of this size: read() would take a chunk with a negative size for all that follows.
    while count := response.readinto(piece):
        body += piece[:count]
        if len(body) > limit:
            if cut:
                return bytes(body[:limit])
            raise TooLong
    return bytes(body)


def interrupt(connection: http.client.HTTPConnection) -> None:
    """Ends whatever waits for the connection, also in another thread, which closing it does not."""
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
