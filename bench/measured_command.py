"""Runs a command and measures it: when each line of output came, and the memory of its process tree."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.1

Line = tuple[float, str]
"""A line of output, and when it came (time.monotonic)."""


class CommandFailed(Exception):
    """The command exited with an error; the text is its output."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A command that succeeded. `peak_bytes` is 0 if memory was not measured.

    `processor_seconds` are those of its whole process tree.
    """

    started: float
    ended: float
    lines: Sequence[Line]
    processor_seconds: float
    peak_bytes: int

    @property
    def seconds(self) -> float:
        return self.ended - self.started


def run(command: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path, memory: bool = False) -> Ran:
    """Runs a command to its end. Raises CommandFailed."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    sampler = _MemorySampler(process.pid) if memory else None
    lines: list[Line] = []
    for line in process.stdout:
        lines.append((time.monotonic(), line.rstrip("\n")))
    _, status, usage = os.wait4(process.pid, 0)
    ended = time.monotonic()
    process.returncode = code = os.waitstatus_to_exitcode(status)
    peak = sampler.end() if sampler else 0
    if code != 0:
        output = "\n".join(text for _, text in lines)
        raise CommandFailed(f"{' '.join(map(str, command))} exited with {code}:\n{output}")
    processor = usage.ru_utime + usage.ru_stime
    return Ran(started=started, ended=ended, lines=lines, processor_seconds=processor, peak_bytes=peak)


class _MemorySampler:
    """Samples the memory of all processes of a session: proportional set sizes, in which a shared page counts once."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def end(self) -> int:
        self._over.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, sum(map(_memory, _members(self._session))))


def _members(session: int) -> list[Path]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(folder.name)) == session:
                found.append(folder)
    return found


def _memory(process: Path) -> int:
    """The bytes of a process, or 0 if it has ended."""
    with suppress(OSError):
        for line in (process / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
