"""The stand-in injector: a background process that answers the agent's injection webhook. Start and stop.

The real injector runs in the agent's pod. Containers do not run here, so the agent's chart is told to call this process
(`injectorWebhookDomain`). Like the real one, it reads the agent's configuration from the cluster at every injection.
"""

from dataclasses import dataclass
from pathlib import Path

from local.processes.background_process import BackgroundProcess

STATE_FILE = "injector.json"


@dataclass(frozen=True, kw_only=True)
class Injector:
    """A running injector. `domain` is HOST:PORT, `ca_bundle` is PEM in base64."""

    domain: str
    ca_bundle: str
    pid: int


def start(directory: Path, *, agent_namespace: str, kubeconfig: Path) -> Injector:
    """Starts the injector of the agent in `agent_namespace`, or returns the one that is already running.

    `directory` holds its certificates, port, process id and log. A restart keeps the port and the certificates. Raises
    BackgroundProcessError if it is not ready in time.
    """
    arguments = ("--agent-namespace", agent_namespace, "--kubeconfig", str(kubeconfig))
    state = _process(directory, arguments).start()
    return Injector(domain=state["domain"], ca_bundle=state["caBundle"], pid=state["pid"])


def stop(directory: Path) -> None:
    """Stops the injector of this folder if it is running."""
    _process(directory).stop()


def _process(directory: Path, arguments: tuple[str, ...] = ()) -> BackgroundProcess:
    return BackgroundProcess(module="local.injector", directory=directory, state_file=STATE_FILE, arguments=arguments)
