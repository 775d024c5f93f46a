"""Servers and files that give no rock: what each sends, until the program has enough of it."""

import gzip
import os
import random
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.plugin.server import Answer, Handler
from traceable_kong.plugin.archive_entry import MAX_ARCHIVE_BYTES

OK = b"HTTP/1.1 200 OK\r\n"
SEEDS = 60
"""The number of responses with random damage."""


def raw(*parts: bytes) -> Answer:
    def answer(request: Handler) -> None:
        for part in parts:
            request.wfile.write(part)

    return answer


def endless(start: bytes, piece: bytes, pause: float = 0.0) -> Answer:
    """Sends a piece again and again, until the program closes the connection, but at most for 30 seconds."""

    def answer(request: Handler) -> None:
        request.wfile.write(start)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            request.wfile.write(piece)
            time.sleep(pause)

    return answer


def stalled(request: Handler) -> None:
    time.sleep(5)


def redirect(location: bytes) -> Answer:
    return raw(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")


def body(content: bytes, headers: bytes = b"") -> Answer:
    return raw(OK + headers + b"Content-Length: %d\r\n\r\n" % len(content) + content)


def answers() -> Iterator[tuple[str, Answer]]:
    """`(name, what the server sends)`: each must be refused."""
    block = b"x" * 65_536
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    bomb = gzip.compress(gzip.compress(b"\0" * (256 * 1024**2)))
    yield from {
        "nothing": raw(),
        "no HTTP": raw(b"SSH-2.0-OpenSSH\r\n"),
        "no status": raw(b"HTTP/1.1\r\n\r\n"),
        "a status that is no number": raw(b"HTTP/1.1 abc OK\r\n\r\n"),
        "a status of 5,000 digits": raw(b"HTTP/1.1 " + b"2" * 5_000 + b" OK\r\n\r\n"),
        "an unknown version": raw(b"HTTP/9.9 200 OK\r\n\r\nbody"),
        "a status line without an end": endless(b"HTTP/1.1 200 ", block),
        "100 again and again": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        "a text of control characters": raw(b"HTTP/1.1 404 \x1b[2J\x07\xff\r\n\r\n"),
        "headers without an end": endless(OK, b"X-Header: x\r\n" * 100),
        "a header without an end": endless(OK + b"X-Header: ", block),
        "1,000 headers": raw(OK + b"X-Header: x\r\n" * 1_000 + b"\r\n"),
        "a header of 1 MiB": raw(OK + b"X-Header: " + b"x" * 1024**2 + b"\r\n\r\n"),
        "a header without a colon": body(b"<html>", b"nonsense\r\n"),
        "headers of control characters": body(b"<html>", bytes(range(14, 32)) + b": \x00\x7f\xff\r\n"),
        "headers that are cut off": raw(OK + b"Content-Le"),
        "no length and no body": raw(OK + b"\r\n"),
        "a negative length": raw(OK + b"Content-Length: -1\r\n\r\nbody"),
        "a length that is no number": raw(OK + b"Content-Length: many\r\n\r\nbody"),
        "a length of 5,000 digits": raw(OK + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\nbody"),
        "a length of 2**63": raw(OK + b"Content-Length: 9223372036854775808\r\n\r\nbody"),
        "two lengths": raw(OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nbodyb"),
        "a body that is too short": raw(OK + b"Content-Length: 100\r\n\r\nbody"),
        "a body without an end": endless(OK + b"\r\n", block),
        "an announced body of 1 TiB": endless(OK + b"Content-Length: 1099511627776\r\n\r\n", block),
        "an empty body": body(b""),
        "a login page": body(b"<!DOCTYPE html><title>Sign in</title>", b"Content-Type: text/html\r\n"),
        "another zip archive": body(b"PK\x03\x04"),
        "a chunk without a size": raw(chunked + b"\r\n\r\n"),
        "a chunk whose size is no number": raw(chunked + b"zz\r\nbody\r\n"),
        "a chunk with a negative size": raw(chunked + b"-4\r\nbody\r\n0\r\n\r\n"),
        "a chunk of -1 bytes": endless(chunked + b"-1\r\n", b"ab" * 32_768),
        "a chunk of 2**64 bytes": raw(chunked + b"10000000000000000\r\nbody"),
        "a size of a chunk without an end": endless(chunked, b"0" * 65_536),
        "an extension of a chunk without an end": endless(chunked + b"1;", block),
        "chunks of one byte without an end": endless(chunked, b"1\r\nx\r\n" * 1_000),
        "a chunk without an end": endless(chunked + b"ffffffff\r\n", block),
        "chunks that are cut off": raw(chunked + b"4\r\nbody\r\n"),
        "trailers without an end": endless(chunked + b"4\r\nbody\r\n0\r\n", b"X-Trailer: x\r\n" * 1_000),
        "chunks and a length": raw(
            OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
        ),
        "an unknown transfer encoding": raw(OK + b"Transfer-Encoding: gzip, identity\r\n\r\nbody"),
        "a compressed bomb": body(bomb, b"Content-Encoding: gzip, gzip\r\n"),
        "100 compressions": body(bomb, b"Content-Encoding: " + b"gzip, " * 99 + b"gzip\r\n"),
        "a compression that is damaged": body(b"body", b"Content-Encoding: gzip\r\n"),
        "3,000 cookies": body(b"<html>", b"Set-Cookie: " + b"a=b; " * 3_000 + b"\r\n"),
        "a cookie of control characters": body(b"<html>", b"Set-Cookie: \x01=\x1b; Expires=never\r\n"),
        "one byte at a time in headers": endless(OK, b"x", pause=0.05),
        "one byte at a time": endless(OK + b"Content-Length: 9999\r\n\r\n", b"x", pause=0.05),
        "a wait before the headers": stalled,
    }.items()
    for code in (
        101,
        204,
        206,
        300,
        301,
        304,
        307,
        308,
        400,
        401,
        403,
        404,
        407,
        418,
        429,
        451,
        500,
        502,
        503,
        599,
        999,
    ):
        yield f"HTTP {code}", raw(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % code)
    for location in (
        *(
            b"",
            b"http://127.0.0.1:9/",
            b"ftp://127.0.0.1/",
            b"file:///etc/passwd",
            b"data:,x",
            b"//",
            b"https://",
            b"/",
        ),
        *(b"https://[::1", b"https://[x]/", b"https://127.0.0.1:99999/", b"https://127.0.0.1:x/", b"https://a b/"),
        *(
            b"https://127.0.0.1:9/",
            b"https://user:pass@127.0.0.1:9/",
            b"\xff\xfe",
            b"https://\xc3\xa4/",
            b"https://xn--/",
        ),
        *(
            b"https://" + b"a" * 300 + b"/",
            b"https://127.0.0.1:9/" + b"a" * 60_000,
            b"https://..../",
            b"\x1b[2J",
            b"?" * 100,
            b"a" * 60_000 + b":x",
        ),
    ):
        yield f"Location {location[:30]!r}", redirect(location)
    good = OK + b"Content-Type: a/b\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789"
    for seed in range(SEEDS):
        yield f"damaged({seed})", raw(_damaged(good, random.Random(seed)))


def _damaged(response: bytes, chance: random.Random) -> bytes:
    result = bytearray(response)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(result))
        piece = chance.choice(
            (b"", b"\0", b"\r", b"\n", b"\r\n", b":", b" ", b"\xff", b"9", b"-", bytes(result[:place]))
        )
        result[place : place + chance.choice((0, 1, 5))] = piece
    return bytes(result)


TCP: dict[str, bytes] = {
    "a server that closes at once": b"",
    "HTTP without TLS": OK + b"\r\n",
    "a TLS alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "a damaged TLS handshake": b"\x16\x03\x03\x00\x10" + b"\xff" * 16,
    "a TLS record of 64 KiB": b"\x16\x03\x03\xff\xff" + b"\0" * 65_535,
}
"""What a server sends that does not speak TLS."""


@contextmanager
def tcp_server(sent: bytes) -> Iterator[str]:
    """A server that sends this and closes; yields its address."""

    class Sender(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(sent)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sender) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}/rock"
        finally:
            server.shutdown()


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 * 1024**3)


def _growing(path: Path) -> None:
    path.write_bytes(b"x" * (MAX_ARCHIVE_BYTES + 1))


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "a file of 3 GiB": _large,
    "one byte too many": _growing,
    "a FIFO": lambda path: os.mkfifo(path),
    "a directory": lambda path: path.mkdir(),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to(path / "x"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a terminal": lambda path: path.symlink_to("/dev/tty"),
    "a link to memory": lambda path: path.symlink_to("/proc/self/mem"),
    "an empty file": lambda path: path.write_bytes(b""),
    "another file": lambda path: path.write_bytes(b"PK\x03\x04"),
}
"""What can be at the path of a rock, or at that of a rock in the cache."""


ENVIRONMENTS: list[tuple[str, str, str]] = [
    *(
        ("HTTPS_PROXY", proxy, "HTTPS_PROXY")
        for proxy in (
            *(
                "http://",
                "http://[::1",
                "socks5://127.0.0.1:9",
                "nonsense",
                "http://127.0.0.1:99999",
                "http://127.0.0.1:x",
            ),
            *("ftp://127.0.0.1:9", "http://a b", "http://\xff", "http://user:planted@127.0.0.1:9", "http://..", " "),
        )
    ),
    *(
        (variable, path, f"{variable} is '{path}'")
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        for path in ("/nowhere", "/dev/null", __file__)
    ),
    *(("NO_PROXY", value, "no connection") for value in ("[", "*", "127.0.0.1/99", ",,,", "\xff")),
]
"""`(variable, value, a part of the message)`."""
