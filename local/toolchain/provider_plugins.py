"""Chooses the provider plugins of the platform's engine: the official ones if they are available.

Each choice is made once and recorded: a plugin that the user has installed, else one that the engine can download, else
the stand-in. `TRACEABLE_KONG_PLUGIN=official|stand-in` overrides the choice for all plugins.
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
"""The plugins that the program needs, each with the package of its stand-in."""

PROBE_TIMEOUT_SECONDS = 4
INSTALL_TIMEOUT_SECONDS = 600


class PluginError(Exception):
    """The requested plugin is not available."""


def version(name: str) -> str:
    """Returns a plugin's version: that of the SDK that requirements.txt pins."""
    found = re.search(rf"^pulumi-{name}==(\S+)", (paths.CLONE / "requirements.txt").read_text(), re.MULTILINE)
    if not found:
        raise PluginError(f"requirements.txt does not pin pulumi-{name}, so the plugin's version is unknown.")
    return found[1]


def ensure(environment: Mapping[str, str], *, report: Callable[[str], None] = print) -> dict[str, str]:
    """Installs the plugins into the platform's PULUMI_HOME and returns the choices as `{name: choice}`."""
    asked = os.environ.get("TRACEABLE_KONG_PLUGIN")
    if asked not in (None, "", OFFICIAL, STAND_IN):
        raise PluginError(f"TRACEABLE_KONG_PLUGIN is {asked!r}; it must be {OFFICIAL} or {STAND_IN}")
    return {name: _ensure(name, asked or None, environment, report) for name in STAND_INS}


def chosen(name: str) -> str | None:
    """Returns the recorded choice, or None if there is none yet."""
    written = paths.plugin_choice(name)
    return written.read_text().strip() if written.exists() else None


def put_stand_in(name: str, home: Path, *, command: str = "") -> None:
    """Writes the stand-in of a plugin into a PULUMI_HOME. `command` replaces the program that it runs."""
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
        # Every time, because the script names a module that may have moved since the choice was made.
        put_stand_in(name, paths.PULUMI_HOME)
        report(f"{name} plugin: STAND-IN, not the official one; see local/README.md")
    else:
        report(f"{name} plugin: official, {version(name)}")
    return choice


def _install(name: str, asked: str | None, environment: Mapping[str, str]) -> str:
    folder = _folder(name, paths.PULUMI_HOME)
    shutil.rmtree(folder, ignore_errors=True)
    if asked != STAND_IN:
        installed = _folder(name, Path.home() / ".pulumi")
        if (installed / f"pulumi-resource-{name}").exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(installed, folder)
            return OFFICIAL
        if _obtainable(name) and _acquire(name, environment):
            return OFFICIAL
        if asked == OFFICIAL:
            raise PluginError(
                f"The official {name} plugin {version(name)}, which TRACEABLE_KONG_PLUGIN requires, is neither in "
                f"{installed} nor can it be downloaded from {_downloads(name)}. Install it, or unset the variable."
            )
    return STAND_IN


def _downloads(name: str) -> str:
    return f"https://github.com/pulumi/pulumi-{name}/releases/download"


def _obtainable(name: str) -> bool:
    """Returns True if the engine could download the plugin. One short request."""
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
