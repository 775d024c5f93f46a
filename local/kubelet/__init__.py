"""The simulated kubelet: one background process for the pods that need more than kwok gives them. Start and stop.

It simulates Kong (local.kong), runs the real ingress controller and the real PostgreSQL, answers for the TME and the
agent, writes the status of these pods, and provisions volumes.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from local.processes.background_process import BackgroundProcess

STATE_FILE = "kubelet.json"

_SOURCES = tuple(Path(__file__).parents[1] / name for name in ("kubelet", "kong", "postgres", "processes"))


@dataclass(frozen=True, kw_only=True)
class KubeletProcess:
    """The running process. `router` is the URL for admission webhooks, `ca_bundle` is PEM in base64."""

    router: str
    ca_bundle: str
    pid: int


def start(directory: Path, *, kubeconfig: Path, controller: Path) -> KubeletProcess:
    """Starts the process, or returns the one that is already running. `controller` is the ingress controller's binary.

    A restart keeps the router's port and certificates. Kongs and controllers restart too, as after a node's reboot.
    Raises BackgroundProcessError if it is not ready in time.
    """
    arguments = ("--kubeconfig", str(kubeconfig), "--controller", str(controller), "--version", _version(kubeconfig))
    state = _process(directory, arguments).start()
    return KubeletProcess(router=state["router"], ca_bundle=state["caBundle"], pid=state["pid"])


def stop(directory: Path) -> None:
    """Stops the process with everything that it runs."""
    _process(directory).stop()


def _process(directory: Path, arguments: tuple[str, ...] = ()) -> BackgroundProcess:
    return BackgroundProcess(module="local.kubelet", directory=directory, state_file=STATE_FILE, arguments=arguments)


def _version(kubeconfig: Path) -> str:
    """Returns a digest of the code and the cluster, so that an outdated process is replaced."""
    hasher = hashlib.sha256(kubeconfig.read_bytes())
    for folder in _SOURCES:
        for file in sorted([*folder.glob("*.py"), *folder.glob("*.lua")]):
            hasher.update(file.read_bytes())
    return hasher.hexdigest()[:10]
