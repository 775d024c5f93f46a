"""Builds tools from pinned Go modules into the cache. A build can be interrupted and continued.

One `go build` builds all tools of a module set: a package is compiled once for all of them, and every core is busy.
A finished tool is moved into place as a whole, so an interrupted build leaves nothing incomplete. Packages that are
already compiled are in Go's own build cache.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local.toolchain import go_command
from local.toolchain.build_progress import BuildProgress, Package
from local.toolchain.go_command import ToolchainError
from local.toolchain.tools import MODULES, SDK_MODULE, SDK_SCRIPTS, Tool, sdk_folder

FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")

FASTER = ("-gcflags=all=-dwarf=false",)
"""The compiler writes no debugging information, which the linker's `-w` would leave out."""

_LISTED = '{{.ImportPath}}\t{{.Stale}}\t{{.Dir}}\t{{join .GoFiles "\\t"}}'


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
                folder = self.modules / tool.module_set
                own = sorted((folder / tool.package).glob("*.go")) if tool.package.startswith("./") else []
                for file in (folder / "go.mod", folder / "go.sum", *own):
                    hasher.update(file.read_bytes())
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
        """Builds these tools. Raises ToolchainError with the log's path and last errors if a build fails."""
        if not tools:
            return
        go_command.check_version()
        with self._lock():
            grouped: dict[str, list[Tool]] = {}
            for tool in tools:
                if not self.built(tool):
                    grouped.setdefault(tool.module_set, []).append(tool)
            # A build that was killed leaves its temporary files.
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary.mkdir(parents=True)
            if grouped:
                self.report(f"tools: building {sum(map(len, grouped.values()))} into {self.cache}, once")
            progress = BuildProgress({name: self._packages(name, members) for name, members in grouped.items()})
            for name, members in grouped.items():
                self._build(name, members, progress)

    def sdk_scripts(self) -> list[Path]:
        """Copies the scripts of the engine's SDK from its Go module to the engine's folder."""
        folder = self.folder("pulumi")
        scripts = [folder / Path(name).name for name in SDK_SCRIPTS]
        if not all(script.exists() for script in scripts):
            go_command.check_version()
            command = ["go", "mod", "download", "-json", SDK_MODULE]
            done = subprocess.run(
                command,
                cwd=self.modules / "pulumi",
                env=go_command.environment(),
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

    @property
    def _temporary(self) -> Path:
        # On the file system of the tools, so that Go moves a linked program into place as a whole.
        return self.cache / "work" / "tmp"

    def _packages(self, module_set: str, tools: list[Tool]) -> list[Package]:
        """Downloads the modules, and returns the packages that have to be compiled."""
        listed = self._temporary / f"{module_set}.list"
        downloads = 0

        def progress(lines: list[str], seconds: float) -> str:
            nonlocal downloads
            downloads += sum(line.startswith("go: downloading ") for line in lines)
            return f"{downloads} modules of the set {module_set} downloaded"

        packages = [tool.package for tool in tools]
        self._go(module_set, ["list", "-deps", "-f", _LISTED], packages, output=listed, progress=progress)
        result = []
        for line in listed.read_text().splitlines():
            path, stale, folder, *files = line.split("\t")
            if stale == "true":
                size = sum((Path(folder) / name).stat().st_size for name in files if name)
                result.append(Package(path=path, folder=folder, size=size))
        return result

    def _build(self, module_set: str, tools: list[Tool], build_progress: BuildProgress) -> None:
        started = time.monotonic()
        linked = self.cache / "work" / module_set
        linked.mkdir(parents=True, exist_ok=True)

        def progress(lines: list[str], seconds: float) -> str:
            build_progress.compiled(module_set, lines)
            return build_progress.text(seconds)

        linker = [f"-ldflags={tool.package}={tool.linker_flags}" for tool in tools]
        packages = [tool.package for tool in tools]
        self._go(module_set, ["build", "-v", *linker, "-o", f"{linked}{os.sep}"], packages, progress=progress)
        seconds = time.monotonic() - started
        build_progress.finished(module_set, seconds)
        for tool in tools:
            self.path(tool).parent.mkdir(parents=True, exist_ok=True)
            (linked / tool.program).replace(self.path(tool))
        self.report(f"tools: {', '.join(tool.name for tool in tools)} built in {clock(seconds)}")

    def _go(
        self,
        module_set: str,
        arguments: list[str],
        packages: list[str],
        *,
        progress: Callable[[list[str], float], str],
        output: Path | None = None,
    ) -> None:
        command, *rest = arguments
        go_command.run(
            [command, *FLAGS, *FASTER, *rest, *packages],
            folder=self.modules / module_set,
            log=self.cache / "logs" / f"{module_set}.{command}.log",
            output=output,
            temporary=self._temporary,
            progress=progress,
            report=self.report,
        )

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


def clock(seconds: float) -> str:
    """Returns a duration for people: `48 s`, `6 min 5 s`."""
    return f"{int(seconds) // 60} min {int(seconds) % 60} s" if seconds >= 60 else f"{seconds:.0f} s"
