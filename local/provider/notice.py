"""What the plugin says to the person, through the engine's Log RPC; and that it is a stand-in, once per run."""

import atexit
import os
import tempfile
import threading
from pathlib import Path

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

NOTICE = (
    "the kubernetes provider plugin in this run is a STAND-IN for the official one: it is for trying things on the "
    "embedded platform, not for a real cluster"
)

_SEVERITIES = {
    "info": engine_pb2.INFO,
    "status": engine_pb2.INFO,
    "warning": engine_pb2.WARNING,
    "error": engine_pb2.ERROR,
}


class Voice:
    """Logs to the engine at an address. Safe to use from several threads; a log that does not arrive is dropped."""

    def __init__(self, address: str) -> None:
        self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None
        self._lock = threading.Lock()
        self._noticed = False

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
        if _first_of_run():
            self.log("warning", "", NOTICE)


def _first_of_run() -> bool:
    """True in the first plugin process that an engine starts; every provider resource has its own process."""
    engine = os.getppid()
    try:
        started = Path(f"/proc/{engine}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        started = "0"
    marker = Path(tempfile.gettempdir()) / f"pulumi-kubernetes-stand-in-{os.getuid()}-{engine}-{started}"
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        return True
    atexit.register(marker.unlink, missing_ok=True)
    return True
