"""The stand-in injector: a process beside the cluster that answers the agent's webhook. Start and stop.

The real injector lives in the agent's pod. Here no container runs, so the agent's chart is told to call this process
(`injectorWebhookDomain`); it reads the agent's configuration from the cluster at every injection, as the real one does.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

STATE_FILE = "injector.json"
LOG_FILE = "injector.log"
START_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 10


class InjectorError(Exception):
    """The injector did not start; the text names its log."""


@dataclass(frozen=True, kw_only=True)
class Injector:
    """A running injector: `domain` is HOST:PORT, `ca_bundle` PEM in base64."""

    domain: str
    ca_bundle: str
    pid: int


def start(directory: Path, *, agent_namespace: str, kubeconfig: Path) -> Injector:
    """Starts the injector of the agent in `agent_namespace`, or returns the one that runs already.

    `directory` is its own: certificates, port, process id and log. A restart keeps the port and the certificates.
    Raises InjectorError where it does not answer in time.
    """
    running = _running(directory)
    if running:
        return running
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / LOG_FILE).open("ab") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "local.injector"),
                *("--agent-namespace", agent_namespace),
                *("--directory", str(directory)),
                *("--kubeconfig", str(kubeconfig)),
            ],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        running = _running(directory)
        if running and running.pid == process.pid:
            return running
        time.sleep(0.05)
    raise InjectorError(f"The injector did not start; its log is {directory / LOG_FILE}.")


def stop(directory: Path) -> None:
    """Stops the injector of this folder, if one runs."""
    running = _running(directory)
    if not running:
        return
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if not _is_injector(running.pid, directory):
            return
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)


def _running(directory: Path) -> Injector | None:
    try:
        state = json.loads((directory / STATE_FILE).read_text())
    except (OSError, ValueError):
        return None
    if not _is_injector(state["pid"], directory):
        return None
    return Injector(domain=state["domain"], ca_bundle=state["caBundle"], pid=state["pid"])


def _is_injector(pid: int, directory: Path) -> bool:
    """A process id that was written down may belong to something else by now."""
    with suppress(ChildProcessError):
        # Reaps it where it is our own child: a process that ended would be seen as running otherwise.
        os.waitpid(pid, os.WNOHANG)
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"local.injector" in words and str(directory).encode() in words
