"""Which kubernetes provider plugin the platform's engine uses: the official one wherever it can be had.

Decided once and written down: one that the person has installed, else one that the engine can acquire, else the
stand-in of `local/provider`. `TRACEABLE_KONG_PLUGIN=official|stand-in` decides in its place. Leaves out what the
stand-in does.
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

PROBE_TIMEOUT_SECONDS = 4
INSTALL_TIMEOUT_SECONDS = 600

_DOWNLOADS = "https://github.com/pulumi/pulumi-kubernetes/releases/download"


class PluginError(Exception):
    """The plugin that was asked for cannot be had."""


def version() -> str:
    """The plugin's version: the one of the SDK that requirements.txt pins."""
    found = re.search(r"^pulumi-kubernetes==(\S+)$", (paths.CLONE / "requirements.txt").read_text(), re.MULTILINE)
    if not found:
        raise PluginError("requirements.txt pins no version of pulumi-kubernetes")
    return found[1]


def ensure(environment: Mapping[str, str], *, say: Callable[[str], None] = print) -> str:
    """Installs a kubernetes plugin into the platform's PULUMI_HOME and returns which one, saying so."""
    folder = paths.PULUMI_HOME / "plugins" / f"resource-kubernetes-v{version()}"
    asked = os.environ.get("TRACEABLE_KONG_PLUGIN")
    if asked not in (None, "", OFFICIAL, STAND_IN):
        raise PluginError(f"TRACEABLE_KONG_PLUGIN is {asked!r}; it can be {OFFICIAL} or {STAND_IN}")
    choice = _written() if (folder / "pulumi-resource-kubernetes").exists() else None
    if choice is None or (asked and asked != choice):
        choice = _install(folder, asked or None, environment)
        paths.PLUGIN_CHOICE.write_text(choice)
    if choice == STAND_IN:
        say("kubernetes plugin: THE STAND-IN (the official one cannot be had on this machine); see local/README.md")
    else:
        say(f"kubernetes plugin: the official one, {version()}")
    return choice


def _written() -> str | None:
    return paths.PLUGIN_CHOICE.read_text().strip() if paths.PLUGIN_CHOICE.exists() else None


def _install(folder: Path, asked: str | None, environment: Mapping[str, str]) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    if asked != STAND_IN:
        theirs = Path.home() / ".pulumi" / "plugins" / folder.name
        if (theirs / "pulumi-resource-kubernetes").exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(theirs, folder)
            return OFFICIAL
        if _obtainable() and _acquire(environment):
            return OFFICIAL
        if asked == OFFICIAL:
            raise PluginError(
                f"TRACEABLE_KONG_PLUGIN asks for the official kubernetes plugin, and {version()} is neither in "
                f"{theirs} nor to be had from {_DOWNLOADS}."
            )
    folder.mkdir(parents=True)
    script = folder / "pulumi-resource-kubernetes"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{paths.CLONE}" exec "{paths.VENV_BIN / "python"}" -m local.provider "$@"\n'
    )
    script.chmod(0o755)
    return STAND_IN


def _obtainable() -> bool:
    """One short question to where the engine would download from."""
    machine = "arm64" if os.uname().machine in ("aarch64", "arm64") else "amd64"
    system = os.uname().sysname.lower()
    url = f"{_DOWNLOADS}/v{version()}/pulumi-resource-kubernetes-v{version()}-{system}-{machine}.tar.gz"
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_SECONDS):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _acquire(environment: Mapping[str, str]) -> bool:
    done = subprocess.run(
        ["pulumi", "plugin", "install", "resource", "kubernetes", version()],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=INSTALL_TIMEOUT_SECONDS,
        check=False,
    )
    return done.returncode == 0
