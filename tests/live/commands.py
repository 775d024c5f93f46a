"""Runs the commands that a person would type, and waits for what they bring about."""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

TIMEOUT_SECONDS = 300
WAIT_SECONDS = 30

_Found = TypeVar("_Found")


class CommandFailed(Exception):
    """A command exited with an error; the text is what it printed."""


def execute(
    *command: str | Path,
    environment: Mapping[str, str],
    folder: Path | None = None,
    stdin: str | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> "subprocess.CompletedProcess[str]":
    """Runs a command to its end, whatever its exit code."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )


def run(
    *command: str | Path,
    environment: Mapping[str, str],
    folder: Path | None = None,
    stdin: str | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> str:
    """Runs a command and returns its stdout. Raises CommandFailed."""
    done = execute(*command, environment=environment, folder=folder, stdin=stdin, timeout_seconds=timeout_seconds)
    if done.returncode != 0:
        text = shlex.join(map(str, command))
        raise CommandFailed(f"{text} exited with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def kill_session(leader: int) -> None:
    """Kills every process of the session, such as a killed engine's language host, which does not notice by itself."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(folder.name)) == leader:
                os.kill(int(folder.name), signal.SIGKILL)


def wait_until(condition: Callable[[], _Found], reason: str = "", *, seconds: float = WAIT_SECONDS) -> _Found:
    """Waits until `condition` returns something true, and returns that.

    A condition may assert: its AssertionError is raised when the time is over, else one with `reason`.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = condition()
            assert found, reason
            return found
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
