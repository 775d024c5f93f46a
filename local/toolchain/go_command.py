"""Runs Go: checks its version, sets its environment, and shows the progress of a command that takes long."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

OLDEST_GO = (1, 26)
HEARTBEAT_SECONDS = 30
LOG_LINES_SHOWN = 15

GARBAGE_COLLECTION_PERCENT = "400"
"""GOGC of the compiler: it runs faster and needs hardly more memory."""


class ToolchainError(Exception):
    """A tool is not available. The message is for the user."""


def environment() -> dict[str, str]:
    """Returns the environment for Go. GOGC is the user's, if it is set."""
    # Without cgo, no C compiler is needed. The user's GOFLAGS would change the result.
    fixed = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    return {"GOGC": GARBAGE_COLLECTION_PERCENT, **os.environ, **fixed}


def check_version() -> None:
    """Raises ToolchainError if Go is missing or too old."""
    wanted = ".".join(str(part) for part in OLDEST_GO)
    fix = f"Install Go {wanted} or newer (https://go.dev/dl/) and put it on PATH."
    if not shutil.which("go"):
        raise ToolchainError(f"Go is not installed, and the platform's tools are built with it. {fix}")
    done = subprocess.run(["go", "env", "GOVERSION"], env=environment(), capture_output=True, text=True, check=False)
    version = done.stdout.strip().removeprefix("go")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_GO:
        raise ToolchainError(f"Go {version or '(unknown)'} is too old to build the platform's tools. {fix}")


def run(
    arguments: list[str],
    *,
    folder: Path,
    log: Path,
    output: Path | None = None,
    temporary: Path,
    progress: Callable[[list[str], float], str],
    report: Callable[[str], None],
) -> None:
    """Runs `go` in `folder`. Its errors go to `log`, its output to `output` or to the log too.

    `progress` gets the new lines of the log and the seconds since the start, and returns what to show. Raises
    ToolchainError with the log's path and last lines if the command fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as errors, (output or Path(os.devnull)).open("wb") as results:
        process = subprocess.Popen(
            ["go", *arguments],
            cwd=folder,
            env={**environment(), "GOTMPDIR": str(temporary)},
            stdin=subprocess.DEVNULL,
            stdout=results if output else errors,
            stderr=errors,
        )
        try:
            _watch(process, log, progress, report)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode != 0:
        tail = "\n".join(_errors(log)[-LOG_LINES_SHOWN:])
        raise ToolchainError(
            f"`go {arguments[0]}` failed. The last errors in {log}:\n{tail}\n"
            "What is downloaded and compiled is kept. Run the same command again to continue."
        )


def _watch(
    process: "subprocess.Popen[bytes]",
    log: Path,
    progress: Callable[[list[str], float], str],
    report: Callable[[str], None],
) -> None:
    started = shown = time.monotonic()
    live = sys.stdout.isatty()
    with log.open(errors="replace") as lines:
        while process.poll() is None:
            time.sleep(0.2)
            now = time.monotonic()
            text = f"tools: {progress(lines.read().splitlines(), now - started)}"
            if live:
                print(f"\r{text}\x1b[K", end="", flush=True)
            elif now - shown >= HEARTBEAT_SECONDS:
                shown = now
                report(text)
    if live:
        print("\r\x1b[K", end="")


def _errors(log: Path) -> list[str]:
    """Returns the log without what is no error: the downloads, and the packages that were compiled."""
    lines = log.read_text(errors="replace").splitlines()
    return [line for line in lines if " " in line and not line.startswith("go: downloading ")]
