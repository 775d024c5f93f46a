"""What `pip install` of a clone gives: the command, the component, and its types."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.live.commands import run
from tests.live.stack import CLONE

USE = """
from traceable_kong import TraceableOnKong, TraceableOnKongArgs
assert TraceableOnKong.__module__ == "traceable_kong.program.traceable_on_kong"
import traceable_kong
assert traceable_kong.__file__.startswith({folder!r}), traceable_kong.__file__
"""


def test_the_package_has_the_component_and_the_command(tmp_path: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=CLONE, capture_output=True, check=True
    )
    clone, installed = tmp_path / "clone", tmp_path / "installed"
    for path in listed.stdout.decode().splitlines():
        if path.split("/")[0] in (
            "traceable_kong",
            "pyproject.toml",
            "requirements.in",
            "README.md",
            "LICENSE",
            "MANIFEST.in",
        ):
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CLONE / path, clone / path)
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    run(*pip, "--target", str(installed), str(clone), environment=os.environ, folder=tmp_path)
    environment = {"PYTHONPATH": str(installed), "PATH": "/nowhere"}
    command = (sys.executable, str(installed / "bin" / "traceable-kong"))
    assert "traceable-kong" in run(*command, "--version", environment=environment, folder=tmp_path)
    run(sys.executable, "-c", USE.format(folder=str(installed)), environment=environment, folder=tmp_path)
    assert (installed / "traceable_kong" / "py.typed").exists()
    assert not (installed / "tests").exists() and not (installed / "local").exists()
