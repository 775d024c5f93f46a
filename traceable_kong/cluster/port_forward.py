"""A socket to a port in a pod, by the port-forward of the API server.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (portforward). Within the web
socket, the first byte of a frame is its channel: a port has one for its data and one for an error. The first frame of a
channel has the port (https://pkg.go.dev/k8s.io/kubelet/pkg/cri/streaming/portforward, websocket.go). The official
Python client does the same, and importing it takes longer than an empty Pulumi program.
"""

import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

from traceable_kong.cluster.api_connection import ApiConnection
from traceable_kong.common.http_exchange import interrupt
from traceable_kong.common.safe_text import PlainError
from traceable_kong.common.time_limit import within

PROTOCOL = "v4.channel.k8s.io"

MESSAGE_LIMIT = 1024 * 1024
"""Bytes of one message of the web socket, which has what the pod sent at one time."""

DATA_CHANNEL = 0
ERROR_CHANNEL = 1

CHUNK_BYTES = 64 * 1024


class HandshakeRefused(PlainError):
    """The server answered with an HTTP status in place of a port-forward."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


def open_port(
    connection: ApiConnection, path: str, headers: Sequence[tuple[str, str]], *, port: int, seconds: float
) -> socket.socket:
    """Raises HandshakeRefused, OSError or ValueError. The connection belongs to the socket."""

    def work() -> Any:
        connection.connect()
        return _web_socket(connection, path, headers)

    connection.timeout = seconds
    try:
        opened = within(seconds, work, stop=lambda: interrupt(connection))
    except BaseException:
        with suppress(OSError):
            connection.close()
        raise
    return _forwarded(opened, port)


def _web_socket(connection: ApiConnection, path: str, headers: Sequence[tuple[str, str]]) -> Any:
    # Only what asks Kong or the agent needs this library.
    import websocket

    for _, value in headers:
        if not value.isprintable():
            raise ValueError("a header with a line break")
    host = f"[{connection.host}]" if ":" in connection.host else connection.host
    made: Any = websocket.WebSocket()
    _limit_messages(made)
    try:
        made.connect(
            f"ws://{host}:{connection.port}{path}",
            socket=connection.sock,
            header=[f"{name}: {value}" for name, value in headers],
            subprotocols=[PROTOCOL],
            suppress_origin=True,
            redirect_limit=0,
        )
    except websocket.WebSocketBadStatusException as problem:
        raise HandshakeRefused(int(problem.status_code)) from None
    except (websocket.WebSocketException, AttributeError, IndexError):
        # A redirect, or lines that are not HTTP.
        raise HandshakeRefused(made.getstatus() or 0) from None
    if made.getstatus() != 101:
        raise HandshakeRefused(made.getstatus() or 0)
    made.settimeout(None)
    return made


def _limit_messages(web_socket: Any) -> None:
    """The library collects a message of any length, also after its port was closed."""
    import websocket

    frames, parts = web_socket.frame_buffer, web_socket.cont_frame
    receive, add = frames.recv_strict, parts.add

    def receive_limited(size: int) -> Any:
        if size > MESSAGE_LIMIT:
            raise websocket.WebSocketPayloadException
        return receive(size)

    def add_limited(frame: Any) -> None:
        add(frame)
        if len(parts.cont_data[1]) > MESSAGE_LIMIT:
            raise websocket.WebSocketPayloadException

    frames.recv_strict, parts.add = receive_limited, add_limited


def _forwarded(opened: Any, port: int) -> socket.socket:
    local, forwarded = socket.socketpair()
    Thread(target=_pass_on, args=(opened, forwarded, port), daemon=True, name=f"port-forward to {port}").start()
    return local


def _pass_on(opened: Any, local: socket.socket, port: int) -> None:
    """Passes on what both sides say, until one of them ends.

    Both writes may block, because a request and its response take turns.
    """
    started: set[int] = set()
    try:
        while True:
            ready, _, _ = select.select([opened.sock, local], [], [])
            if local in ready:
                data = local.recv(CHUNK_BYTES)
                if not data:
                    return
                opened.send_binary(bytes((DATA_CHANNEL,)) + data)
            # What TLS has already read does not make the socket ready.
            while opened.sock in ready or getattr(opened.sock, "pending", int)():
                ready = []
                if not _receive(opened, local, started, port):
                    return
    # The libraries raise many kinds of errors for a connection that breaks, and both sides hear of it by its end.
    except Exception:
        return
    finally:
        local.close()
        with suppress(Exception):
            opened.close(timeout=0)


def _receive(opened: Any, local: socket.socket, started: set[int], port: int) -> bool:
    """Passes on one frame; False at the end. The first frame of a channel is its port."""
    from websocket import ABNF

    opcode, frame = opened.recv_data_frame(control_frame=True)
    if opcode in (ABNF.OPCODE_PING, ABNF.OPCODE_PONG):
        return True
    if opcode != ABNF.OPCODE_BINARY or not frame.data:
        return False
    channel, data = frame.data[0], frame.data[1:]
    if channel not in started:
        started.add(channel)
        return channel in (DATA_CHANNEL, ERROR_CHANNEL) and bool(data == port.to_bytes(2, "little"))
    if channel == DATA_CHANNEL:
        local.sendall(data)
    return bool(channel == DATA_CHANNEL)
