"""What a plugin says to the person, through the engine's Log RPC; and that it is a stand-in, once per run."""

import os
import socket
import sys
import threading

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


def notice(plugin: str) -> str:
    """That the plugin of this name is a stand-in."""
    return (
        f"the {plugin} provider plugin in this run is a STAND-IN for the official one: it is for trying things on the "
        "embedded platform, not for a real cluster"
    )


_SEVERITIES = {
    "info": engine_pb2.INFO,
    "status": engine_pb2.INFO,
    "warning": engine_pb2.WARNING,
    "error": engine_pb2.ERROR,
}


class EngineLog:
    """Logs to the engine at an address. Safe to use from several threads; a log that does not arrive is dropped."""

    def __init__(self, address: str, plugin: str) -> None:
        self._plugin = plugin
        self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None
        self._lock = threading.Lock()
        self._noticed = False
        self._held: socket.socket | None = None

    def log(self, severity: str, urn: str, text: str) -> None:
        """Says something about a resource; `status` is shown only while the resource is worked on."""
        if self._stub is None:
            return
        request = engine_pb2.LogRequest(
            severity=_SEVERITIES[severity], message=text, urn=urn, ephemeral=severity == "status"
        )
        try:
            self._stub.Log(request, timeout=5)
        except grpc.RpcError:
            return

    def notice(self) -> None:
        """Says once in the plugin's life that it is a stand-in."""
        with self._lock:
            if self._noticed:
                return
            self._noticed = True
        if self._is_first_of_run():
            self.log("warning", "", notice(self._plugin))

    def _is_first_of_run(self) -> bool:
        """True in the first plugin process that an engine starts; every provider resource has its own process.

        The first one holds a name that goes with it (an abstract socket, which only Linux has; elsewhere all speak).
        """
        if sys.platform != "linux":
            return True
        self._held = socket.socket(socket.AF_UNIX)
        try:
            self._held.bind(f"\0pulumi-{self._plugin}-stand-in-{os.getuid()}-{os.getppid()}")
        except OSError:
            return False
        return True
