"""An API server whose port-forward sends messages without an end: the port is closed, and nothing is collected."""

import base64
import hashlib
import struct
import sys
import time
from typing import Any

import pytest

from tests.cluster.api_server import kubeconfig
from tests.cluster.hostile_servers import server
from tests.fakes.limited import run_limited
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.common.safe_text import PlainError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")

PORT = 8001
KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""Source: RFC 6455, 1.3."""

PIECE = b"x" * 60_000
BINARY, CONTINUED, FINAL = 2, 0, 0x80


def frame(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBH", kind, 126, len(content)) + content


def begin(request: Any) -> None:
    accepted = base64.b64encode(hashlib.sha1((request.headers["Sec-WebSocket-Key"] + KEY).encode()).digest())
    request.wfile.write(
        b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n"
        b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n"
    )
    for channel in range(2):
        request.wfile.write(frame(FINAL | BINARY, struct.pack("<BH", channel, PORT)))


def endlessly(request: Any, piece: bytes) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        request.wfile.write(piece)


def one_frame(request: Any) -> None:
    begin(request)
    request.wfile.write(struct.pack(">BBQ", FINAL | BINARY, 127, 2**40))
    endlessly(request, PIECE)


def many_frames(request: Any) -> None:
    begin(request)
    request.wfile.write(frame(BINARY, PIECE))
    endlessly(request, frame(CONTINUED, PIECE))


def until_closed(api: KubernetesClient) -> None:
    with api.forward("gw", "p", PORT) as port:
        port.settimeout(5.0)
        try:
            while port.recv(65_536):
                pass
        except ConnectionError:
            return


@pytest.mark.parametrize("send", [one_frame, many_frames])
def test_a_message_without_an_end_closes_the_port(send: Any) -> None:
    with server() as (url, answers):
        answers.append(send)
        api = connect(kubeconfig=kubeconfig("here", here=url))
        outcome = run_limited(lambda: until_closed(api), PlainError)
    assert outcome.kind == "accepted" and outcome.peak_bytes < 50 * 1024**2, outcome
