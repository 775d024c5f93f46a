"""Runs hostile input in a process of its own, with limits on time and memory, and tells how it ended.

`Outcome.kind` is `accepted`, `refused` (the expected exception), `traceback` (any other exception), or `hang` (stopped
at the limit of time).
"""

import os
import resource
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

CPU_SECONDS = 3
WALL_SECONDS = 30.0
MEMORY_BYTES = 192 * 1024 * 1024
"""What an input may take beyond what the test's own process has."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    kind: str
    text: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0


def run_limited(work: Callable[[], object], refusal: type[Exception]) -> Outcome:
    """Calls `work` in a fork of this process."""
    start = time.monotonic()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _work_in_child(work, refusal, writer)
        finally:
            os._exit(0)
    os.close(writer)
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() - start > WALL_SECONDS:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        time.sleep(0.001)
    with os.fdopen(reader, encoding="utf-8") as answer:
        kind, _, rest = answer.read().partition("\n")
    peak, _, text = rest.partition("\n")
    seconds = time.monotonic() - start
    if not kind:
        return Outcome(kind="hang", seconds=seconds)
    return Outcome(kind=kind, text=text, seconds=seconds, peak_bytes=int(peak))


def _work_in_child(work: Callable[[], object], refusal: type[Exception], writer: int) -> None:
    # Resets the peak (proc(5)).
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    used = _status("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    try:
        work()
        kind, text = "accepted", ""
    except refusal as problem:
        kind, text = "refused", str(problem)
    except BaseException as problem:
        kind, text = "traceback", f"{type(problem).__name__}: {problem}"[:300]
    peak = max(_status("VmHWM") - before, 0)
    os.write(writer, f"{kind}\n{peak}\n{text[:4000]}".encode(errors="backslashreplace"))


def _status(field: str) -> int:
    """A figure of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def is_clear(text: str) -> bool:
    """Whether a person can read a message: one printable line, not too long, and a sentence."""
    return text.isprintable() and len(text) <= 1000 and text.endswith((".", "`"))


def summary(outcomes: Iterable[Outcome]) -> str:
    """The figures for docs/development/testing.md."""
    found = list(outcomes)
    count = {kind: sum(item.kind == kind for item in found) for kind in ("refused", "accepted", "traceback", "hang")}
    slowest = max(item.seconds for item in found)
    peak = max(item.peak_bytes for item in found) / 1024**2
    counts = ", ".join(f"{number} {kind}" for kind, number in count.items())
    return f"{len(found)} tried, {counts}, slowest {slowest:.1f} s, peak memory {peak:.0f} MiB"
