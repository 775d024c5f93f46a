"""The tools that the platform needs: built from pinned Go modules, unless one on PATH has a version that fits.

Built tools are in a cache outside the clone, in a folder named after their pins, so that clones share them. Only the
standard library is used, because this runs before a Python environment exists.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from local.toolchain.builder import Builder, clock
from local.toolchain.go_command import ToolchainError
from local.toolchain.tools import TOOLS, Tool

__all__ = ["ToolchainError", "cache_folder", "ensure"]


def cache_folder() -> Path:
    """Returns `$TRACEABLE_KONG_CACHE`, or `traceable-kong` in the user's cache folder."""
    named = os.environ.get("TRACEABLE_KONG_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "traceable-kong"


def ensure(links: Path, *, tools: tuple[Tool, ...] = TOOLS, report: Callable[[str], None] = print) -> None:
    """Makes every tool available as a link in the folder `links`, which goes on PATH.

    Raises ToolchainError if a tool cannot be built. The message names the log.
    """
    started = time.monotonic()
    builder = Builder(cache_folder(), tools, report=report)
    unbuilt = [tool for tool in tools if not builder.built(tool)]
    installed = {tool.name: found for tool in unbuilt if (found := _installed(tool, links))}
    if "pulumi" in installed:
        # The engine starts the language host from its own folder.
        host = installed["pulumi"].parent / "pulumi-language-python"
        installed |= {tool.name: host for tool in tools if tool.name.startswith(host.name)}
    missing = [tool for tool in unbuilt if tool.name not in installed]
    builder.build(missing)
    links.mkdir(parents=True, exist_ok=True)
    for tool in tools:
        _link(links / tool.name, installed.get(tool.name) or builder.path(tool))
    scripts = _scripts(installed.get("pulumi"), builder) if any(tool.name == "pulumi" for tool in tools) else []
    for script in scripts:
        _link(links / script.name, script)
    if missing:
        report(f"tools: built {len(missing)} in {clock(time.monotonic() - started)}, kept in {builder.cache}")


def _installed(tool: Tool, links: Path) -> Path | None:
    folders = [item for item in os.environ.get("PATH", "").split(os.pathsep) if item and Path(item) != links]
    found = shutil.which(tool.name, path=os.pathsep.join(folders))
    return Path(found) if found and tool.fits(Path(found)) else None


def _scripts(engine: Path | None, builder: Builder) -> list[Path]:
    if engine:
        return [engine.parent / "pulumi-language-python-exec"]
    return builder.sdk_scripts()


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    temporary = link.with_name(f".{link.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
