"""What `pip install` of a clone gives: the command, the component, and its types."""

import os
import sys
from pathlib import Path

from tests.live.commands import run
from tests.live.stack import copy_of_clone

PACKAGE = ("traceable_kong", "pyproject.toml", "requirements.in", "README.md", "LICENSE", "MANIFEST.in")

USE = """
from traceable_kong import TraceableOnKong, TraceableOnKongArgs
assert TraceableOnKong.__module__ == "traceable_kong.program.traceable_on_kong"
import traceable_kong
assert traceable_kong.__file__.startswith({folder!r}), traceable_kong.__file__
"""


def test_the_package_has_the_component_and_the_command(tmp_path: Path) -> None:
    clone, installed = tmp_path / "clone", tmp_path / "installed"
    copy_of_clone(clone, lambda path: path.split("/")[0] in PACKAGE)
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    run(*pip, "--target", str(installed), str(clone), environment=os.environ, folder=tmp_path)
    environment = {"PYTHONPATH": str(installed), "PATH": "/nowhere"}
    command = (sys.executable, str(installed / "bin" / "traceable-kong"))
    assert "traceable-kong" in run(*command, "--version", environment=environment, folder=tmp_path)
    run(sys.executable, "-c", USE.format(folder=str(installed)), environment=environment, folder=tmp_path)
    assert (installed / "traceable_kong" / "py.typed").exists()
    assert not (installed / "tests").exists() and not (installed / "local").exists()
