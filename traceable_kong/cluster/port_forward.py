"""A socket to a port in a pod, by the port-forward of the API server.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (portforward). The protocol
within the web socket is the official Python client's.
"""

import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from traceable_kong.cluster.api_connection import ApiConnection
from traceable_kong.common.http_exchange import interrupt
from traceable_kong.common.safe_text import PlainError
from traceable_kong.common.time_limit import within

PROTOCOL = "v4.channel.k8s.io"

MESSAGE_LIMIT = 1024 * 1024
"""Bytes of one message of the web socket, which has what the pod sent at one time."""


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
    from kubernetes.stream.ws_client import PortForward

    class Forward(PortForward):
        """The library prints a traceback where the server ends the connection in an unusual way."""

        def _proxy(self) -> None:
            try:
                super()._proxy()  # type: ignore[no-untyped-call]
            except Exception:
                for one in self.local_ports.values():
                    one.python.close()
                with suppress(Exception):
                    opened.close(timeout=0)

    made: Any = Forward
    # A plain socket, because TLS cannot use the wrapper of the library.
    return socket.socket(fileno=made(opened, [port]).socket(port).detach())
