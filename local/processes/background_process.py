"""A platform process that keeps running in the background. Each one is a Python module with a folder of its own.

When the process is ready, it writes its state, which includes its process id, to a file in that folder.
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
from typing import Any

from local import paths

START_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 10


class BackgroundProcessError(Exception):
    """The process did not start. The message names its log."""


@dataclass(frozen=True, kw_only=True)
class BackgroundProcess:
    """The command `python -m <module> --directory <directory> <arguments>`.

    `state_file` and the log are in `directory`.
    """

    module: str
    directory: Path
    state_file: str
    arguments: tuple[str, ...] = ()

    @property
    def log(self) -> Path:
        return self.directory / f"{self.module.split('.')[-1]}.log"

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", self.module, "--directory", str(self.directory), *self.arguments]

    def start(self) -> dict[str, Any]:
        """Starts the process and returns its state. One that already runs with the same arguments is reused.

        Raises BackgroundProcessError if it is not ready in time.
        """
        running = self.running()
        if running and _command_line(running["pid"])[1:] == self.command[1:]:
            return running
        self.stop()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command,
                cwd=paths.CLONE,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            running = self.running()
            if running and running["pid"] == process.pid:
                return running
            time.sleep(0.05)
        raise BackgroundProcessError(f"{self.module} did not start. Read its log: {self.log}")

    def stop(self) -> None:
        """Stops the process if it is running."""
        running = self.running()
        if not running:
            return
        os.kill(running["pid"], signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if not self._is_this_process(running["pid"]):
                return
            time.sleep(0.05)
        os.kill(running["pid"], signal.SIGKILL)

    def running(self) -> dict[str, Any] | None:
        """Returns the state of the running process, or None."""
        try:
            state = dict(json.loads((self.directory / self.state_file).read_text()))
        except (OSError, ValueError):
            return None
        return state if self._is_this_process(state["pid"]) else None

    def _is_this_process(self, pid: int) -> bool:
        """Returns False if another program uses the recorded process id by now."""
        with suppress(ChildProcessError):
            # Reaps a child process. Otherwise a process that has ended looks like a running one.
            os.waitpid(pid, os.WNOHANG)
        words = _command_line(pid)
        return self.module in words and str(self.directory) in words


def _command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []
