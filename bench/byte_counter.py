"""Counts the bytes between the measured commands and the API server: a relay that does not look into them."""

import socket
import threading
from contextlib import suppress

CHUNK = 1 << 16


class ByteCounter:
    """Relays connections from a port of this machine to another one. Counts what clients received and sent."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.received = 0
        self.sent = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    def reset(self) -> None:
        with self._lock:
            self.received = self.sent = 0

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            upstream = socket.create_connection(self._target)
            for source, drain, received in ((client, upstream, False), (upstream, client, True)):
                threading.Thread(target=self._relay, args=(source, drain, received), daemon=True).start()

    def _relay(self, source: socket.socket, drain: socket.socket, received: bool) -> None:
        with suppress(OSError):
            while part := source.recv(CHUNK):
                with self._lock:
                    if received:
                        self.received += len(part)
                    else:
                        self.sent += len(part)
                drain.sendall(part)
        with suppress(OSError):
            drain.shutdown(socket.SHUT_WR)
