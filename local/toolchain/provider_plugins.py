"""Which provider plugins the platform's engine uses: the official ones wherever they can be had.

Decided once for each and written down: one that the person has installed, else one that the engine can acquire, else
the stand-in. `TRACEABLE_KONG_PLUGIN=official|stand-in` decides in its place, for all of them. Leaves out what the
stand-ins do.
"""

import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from local import paths

OFFICIAL = "official"
STAND_IN = "stand-in"

STAND_INS = {"kubernetes": "local.provider.kubernetes", "random": "local.provider.random"}
"""The plugins that the program needs, each with the package that stands in for it."""

PROBE_TIMEOUT_SECONDS = 4
INSTALL_TIMEOUT_SECONDS = 600


class PluginError(Exception):
    """The plugin that was asked for cannot be had."""


def version(name: str) -> str:
    """A plugin's version: the one of the SDK that requirements.txt pins."""
    found = re.search(rf"^pulumi-{name}==(\S+)$", (paths.CLONE / "requirements.txt").read_text(), re.MULTILINE)
    if not found:
        raise PluginError(f"requirements.txt pins no version of pulumi-{name}")
    return found[1]


def ensure(environment: Mapping[str, str], *, report: Callable[[str], None] = print) -> dict[str, str]:
    """Installs the plugins into the platform's PULUMI_HOME and returns which ones, `{name: choice}`, saying so."""
    asked = os.environ.get("TRACEABLE_KONG_PLUGIN")
    if asked not in (None, "", OFFICIAL, STAND_IN):
        raise PluginError(f"TRACEABLE_KONG_PLUGIN is {asked!r}; it can be {OFFICIAL} or {STAND_IN}")
    return {name: _ensure(name, asked or None, environment, report) for name in STAND_INS}


def chosen(name: str) -> str | None:
    """Which one was decided for, None where that is still to come."""
    written = paths.plugin_choice(name)
    return written.read_text().strip() if written.exists() else None


def put_stand_in(name: str, home: Path, *, command: str = "") -> None:
    """Puts the stand-in of a plugin into a PULUMI_HOME; `command` is what is run in its place."""
    command = command or f'"{paths.VENV_BIN / "python"}" -m {STAND_INS[name]}'
    folder = _folder(name, home)
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / f"pulumi-resource-{name}"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{paths.CLONE}" exec {command} "$@"\n')
    script.chmod(0o755)


def _folder(name: str, home: Path) -> Path:
    return home / "plugins" / f"resource-{name}-v{version(name)}"


def _ensure(name: str, asked: str | None, environment: Mapping[str, str], report: Callable[[str], None]) -> str:
    there = (_folder(name, paths.PULUMI_HOME) / f"pulumi-resource-{name}").exists()
    choice = chosen(name) if there else None
    if choice is None or (asked and asked != choice):
        choice = _install(name, asked, environment)
        paths.plugin_choice(name).write_text(choice)
    if choice == STAND_IN:
        # Each time: the script names a module, which another version of this clone may have elsewhere.
        put_stand_in(name, paths.PULUMI_HOME)
        report(f"{name} plugin: THE STAND-IN (the official one cannot be had on this machine); see local/README.md")
    else:
        report(f"{name} plugin: the official one, {version(name)}")
    return choice


def _install(name: str, asked: str | None, environment: Mapping[str, str]) -> str:
    folder = _folder(name, paths.PULUMI_HOME)
    shutil.rmtree(folder, ignore_errors=True)
    if asked != STAND_IN:
        theirs = _folder(name, Path.home() / ".pulumi")
        if (theirs / f"pulumi-resource-{name}").exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(theirs, folder)
            return OFFICIAL
        if _obtainable(name) and _acquire(name, environment):
            return OFFICIAL
        if asked == OFFICIAL:
            raise PluginError(
                f"TRACEABLE_KONG_PLUGIN asks for the official {name} plugin, and {version(name)} is neither in "
                f"{theirs} nor to be had from {_downloads(name)}."
            )
    return STAND_IN


def _downloads(name: str) -> str:
    return f"https://github.com/pulumi/pulumi-{name}/releases/download"


def _obtainable(name: str) -> bool:
    """One short question to where the engine would download from."""
    machine = "arm64" if os.uname().machine in ("aarch64", "arm64") else "amd64"
    system = os.uname().sysname.lower()
    url = f"{_downloads(name)}/v{version(name)}/pulumi-resource-{name}-v{version(name)}-{system}-{machine}.tar.gz"
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_SECONDS):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _acquire(name: str, environment: Mapping[str, str]) -> bool:
    done = subprocess.run(
        ["pulumi", "plugin", "install", "resource", name, version(name)],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=INSTALL_TIMEOUT_SECONDS,
        check=False,
    )
    return done.returncode == 0
