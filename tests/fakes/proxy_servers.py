"""An HTTP proxy and a SOCKS5 proxy on loopback, which connect every name to this machine."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """`targets` are the hosts that it was asked to connect to; `login` is what a client must send as user:password."""

    address: str = ""
    login: str = ""
    targets: list[str] = field(default_factory=list)


@contextmanager
def http_proxy() -> Iterator[Proxy]:
    made = Proxy()

    def handle(client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        target = head.split()[1].decode()
        made.targets.append(target)
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        _pipe(client, int(target.rpartition(":")[2]))

    with _listening(made, handle):
        yield made


@contextmanager
def socks_proxy() -> Iterator[Proxy]:
    made = Proxy()

    def handle(client: socket.socket) -> None:
        methods = client.recv(2)[1]
        client.recv(methods)
        if made.login:
            client.sendall(b"\x05\x02")
            _, length = client.recv(2)
            user = client.recv(length)
            password = client.recv(client.recv(1)[0])
            right = f"{user.decode()}:{password.decode()}" == made.login
            client.sendall(b"\x01" + (b"\x00" if right else b"\x01"))
            if not right:
                return
        else:
            client.sendall(b"\x05\x00")
        kind = client.recv(4)[3]
        host = socket.inet_ntoa(client.recv(4)) if kind == 1 else client.recv(client.recv(1)[0]).decode()
        port = int.from_bytes(client.recv(2), "big")
        made.targets.append(f"{host}:{port}")
        client.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        _pipe(client, port)

    with _listening(made, handle):
        yield made


@contextmanager
def _listening(made: Proxy, handle: Callable[[socket.socket], None]) -> Iterator[None]:
    listener = socket.create_server(("127.0.0.1", 0))
    made.address = f"127.0.0.1:{listener.getsockname()[1]}"

    def one(client: socket.socket) -> None:
        with client, suppress(OSError, IndexError, ValueError):
            handle(client)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _pipe(client: socket.socket, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
