"""Messages of a plugin to the user, through the engine's Log RPC, including the notice that it is a stand-in."""

import os
import socket
import sys
import threading

import grpc

from local.provider.sdk_protocol import engine_pb2, engine_pb2_grpc


def notice(plugin: str) -> str:
    """Returns the notice that the plugin of this name is a stand-in."""
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
    """Logs to the engine. Safe to use from several threads. A message that cannot be delivered is dropped."""

    def __init__(self, address: str, plugin: str) -> None:
        self._plugin = plugin
        self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None
        self._lock = threading.Lock()
        self._noticed = False
        self._held: socket.socket | None = None

    def log(self, severity: str, urn: str, text: str) -> None:
        """Logs a message about a resource. `status` is shown only while the resource is being processed."""
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
        """Logs the stand-in notice, once in the plugin's life."""
        with self._lock:
            if self._noticed:
                return
            self._noticed = True
        if self._is_first_of_run():
            self.log("warning", "", notice(self._plugin))

    def _is_first_of_run(self) -> bool:
        """Returns True in the first plugin process of an engine. Every provider resource has its own process.

        The first process holds a name that is released when it ends (an abstract socket, which only Linux has). On
        other systems every process returns True.
        """
        if sys.platform != "linux":
            return True
        self._held = socket.socket(socket.AF_UNIX)
        try:
            self._held.bind(f"\0pulumi-{self._plugin}-stand-in-{os.getuid()}-{os.getppid()}")
        except OSError:
            return False
        return True
