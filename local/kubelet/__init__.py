"""What is behind the pods of a gateway: one process beside the cluster for all of them. Start and stop.

It simulates Kong (local.kong), runs the real ingress controller and the real PostgreSQL, answers for the TME and the
agent, writes these pods' status, as a kubelet would, and makes volumes for claims.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from local.processes.background_process import BackgroundProcess

STATE_FILE = "kubelet.json"

_SOURCES = tuple(Path(__file__).parents[1] / name for name in ("kubelet", "kong", "postgres", "processes"))


@dataclass(frozen=True, kw_only=True)
class KubeletProcess:
    """The running process: `router` is the URL that leads to admission webhooks, `ca_bundle` PEM in base64."""

    router: str
    ca_bundle: str
    pid: int


def start(directory: Path, *, kubeconfig: Path, controller: Path) -> KubeletProcess:
    """Starts it, or returns the one that runs already; `controller` is the ingress controller's program.

    A restart keeps the router's port and certificates; Kongs and controllers begin anew, as after a node's restart.
    Raises BackgroundError where it does not answer in time.
    """
    arguments = ("--kubeconfig", str(kubeconfig), "--controller", str(controller), "--version", _version(kubeconfig))
    state = _process(directory, arguments).start()
    return KubeletProcess(router=state["router"], ca_bundle=state["caBundle"], pid=state["pid"])


def stop(directory: Path) -> None:
    """Stops it, and every controller with it."""
    _process(directory).stop()


def _process(directory: Path, arguments: tuple[str, ...] = ()) -> BackgroundProcess:
    return BackgroundProcess(module="local.kubelet", directory=directory, state_file=STATE_FILE, arguments=arguments)


def _version(kubeconfig: Path) -> str:
    """Changes with the code and with the cluster, so that a process of those of before does not go on running."""
    hasher = hashlib.sha256(kubeconfig.read_bytes())
    for folder in _SOURCES:
        for file in sorted([*folder.glob("*.py"), *folder.glob("*.lua")]):
            hasher.update(file.read_bytes())
    return hasher.hexdigest()[:10]
