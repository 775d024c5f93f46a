"""Builds tools from pinned Go modules into the cache. A build can be interrupted and continued.

A finished tool is moved into place as a whole, so an interrupted build leaves nothing incomplete. Packages that Go has
already compiled are in Go's own build cache.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local.toolchain.tools import MODULES, SDK_MODULE, SDK_SCRIPTS, Tool, sdk_folder

OLDEST_GO = (1, 26)
HEARTBEAT_SECONDS = 30
LOG_LINES_SHOWN = 15

FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")


class ToolchainError(Exception):
    """A tool is not available. The message is for the user."""


class Builder:
    """Builds `tools` into `cache`. `report` prints a line on the terminal."""

    def __init__(
        self,
        cache: Path,
        tools: tuple[Tool, ...],
        *,
        modules: Path = MODULES,
        report: Callable[[str], None] = print,
    ) -> None:
        self.cache = cache
        self.tools = tools
        self.modules = modules
        self.report = report

    def key(self, bundle: str) -> str:
        """Returns ten hexadecimal digits that depend on everything the bundle is built from."""
        hasher = hashlib.sha256(repr((FLAGS, SDK_MODULE)).encode())
        for tool in self.tools:
            if tool.bundle == bundle:
                hasher.update(repr((tool.package, tool.version)).encode())
                for name in ("go.mod", "go.sum"):
                    hasher.update((self.modules / tool.module_set / name).read_bytes())
        return hasher.hexdigest()[:10]

    def folder(self, bundle: str) -> Path:
        """Returns the folder of a bundle's tools."""
        return self.cache / "tools" / f"{bundle}-{self.key(bundle)}"

    def path(self, tool: Tool) -> Path:
        """Returns the path of the built tool."""
        return self.folder(tool.bundle) / tool.name

    def built(self, tool: Tool) -> bool:
        """Returns True if the tool is already built."""
        return self.path(tool).exists()

    def build(self, tools: list[Tool]) -> None:
        """Builds these tools. Raises ToolchainError with the log's path and last lines if a build fails."""
        if not tools:
            return
        self._check_go()
        self.report(
            f"tools: building {len(tools)} into {self.cache}, once (all of them take about twelve minutes on two cores)"
        )
        with self._lock():
            for number, tool in enumerate(tools, start=1):
                if not self.built(tool):
                    self._build(tool, f"[{number}/{len(tools)}] {tool.name}")

    def sdk_scripts(self) -> list[Path]:
        """Copies the scripts of the engine's SDK from its Go module to the engine's folder."""
        folder = self.folder("pulumi")
        scripts = [folder / Path(name).name for name in SDK_SCRIPTS]
        if not all(script.exists() for script in scripts):
            self._check_go()
            command = ["go", "mod", "download", "-json", SDK_MODULE]
            done = subprocess.run(
                command,
                cwd=self.modules / "pulumi",
                env=self._environment(),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise ToolchainError(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")
            folder.mkdir(parents=True, exist_ok=True)
            for name, script in zip(SDK_SCRIPTS, scripts, strict=True):
                temporary = script.with_name(f".{script.name}.new")
                shutil.copyfile(sdk_folder(done.stdout) / name, temporary)
                temporary.chmod(0o755)
                temporary.replace(script)
        return scripts

    def _build(self, tool: Tool, title: str) -> None:
        target = self.path(tool)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{tool.name}.new")
        log = self.cache / "logs" / f"{tool.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        linker = " ".join(["-s", "-w", *(f"-X {variable}={value}" for variable, value in tool.version)])
        command = ["go", "build", *FLAGS, "-ldflags", linker, "-o", str(temporary), tool.package]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.modules / tool.module_set,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            try:
                self._watch(process, title)
            except BaseException:
                process.terminate()
                process.wait()
                raise
        if process.returncode != 0:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])
            raise ToolchainError(
                f"Building {tool.name} failed. The last lines of {log}:\n{tail}\n"
                "Tools that are already built are kept. Run the same command again to continue."
            )
        temporary.replace(target)

    def _watch(self, process: "subprocess.Popen[bytes]", title: str) -> None:
        started = time.monotonic()
        shown = started
        live = sys.stdout.isatty()
        while process.poll() is None:
            time.sleep(0.2)
            now = time.monotonic()
            if live:
                print(f"\r{title} ... {_clock(now - started)}", end="", flush=True)
            elif now - shown >= HEARTBEAT_SECONDS:
                shown = now
                self.report(f"{title} ... {_clock(now - started)}")
        if live:
            print("\r", end="")
        if process.returncode == 0:
            self.report(f"{title} built in {_clock(time.monotonic() - started)}")

    def _environment(self) -> dict[str, str]:
        # Without cgo, no C compiler is needed. The user's GOFLAGS would change the result.
        return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}

    def _check_go(self) -> None:
        wanted = ".".join(str(part) for part in OLDEST_GO)
        fix = f"Install Go {wanted} or newer (https://go.dev/dl/) and put it on PATH."
        if not shutil.which("go"):
            raise ToolchainError(f"Go is not installed, and the platform's tools are built with it. {fix}")
        done = subprocess.run(
            ["go", "env", "GOVERSION"], env=self._environment(), capture_output=True, text=True, check=False
        )
        version = done.stdout.strip().removeprefix("go")
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers < OLDEST_GO:
            raise ToolchainError(f"Go {version or '(unknown)'} is too old to build the platform's tools. {fix}")

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.cache.mkdir(parents=True, exist_ok=True)
        with (self.cache / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.report("tools: another clone is building them; waiting")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
