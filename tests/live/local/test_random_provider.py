"""The random plugin with the real engine: its messages, and where the password is stored."""

import json
import subprocess
from pathlib import Path

import pytest

from local.platform import Platform

_PROGRAM = """\
import pulumi
import pulumi_random

config = pulumi.Config()
made = pulumi_random.RandomPassword("made", length=config.require_int("length"), special=False)
pulumi.export("password", made.result)
"""


class Program:
    """A small program in a folder of its own, with its own backend."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        self.environment = {**platform.env, "PULUMI_BACKEND_URL": (folder / "state").as_uri()}
        (folder / "Pulumi.yaml").write_text("name: passwords\nruntime: python\n")
        (folder / "__main__.py").write_text(_PROGRAM)
        self.run("stack", "init", "test")

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def password(self) -> str:
        return str(json.loads(self.run("stack", "output", "--json", "--show-secrets"))["password"])


@pytest.fixture
def program(platform: Platform, tmp_path: Path) -> Program:
    return Program(platform, tmp_path)


def test_a_password_stays_until_an_input_changes_and_is_never_printed(platform: Platform, program: Program) -> None:
    program.run("config", "set", "length", "24")
    output = program.run("up", "--yes", "--skip-preview")
    assert ("random provider plugin in this run is a STAND-IN" in output) is (platform.plugins["random"] == "stand-in")
    first = program.password()
    assert len(first) == 24 and first.isalnum()
    assert first not in output
    for path in (program.folder / "state").rglob("*.json"):
        assert first not in path.read_text(), path

    program.run("up", "--yes", "--skip-preview", "--expect-no-changes")
    program.run("refresh", "--yes", "--expect-no-changes")
    assert program.password() == first

    program.run("config", "set", "length", "25")
    changes = json.loads(program.run("preview", "--json"))["changeSummary"]
    assert changes["replace"] == 1
    program.run("up", "--yes", "--skip-preview")
    second = program.password()
    assert len(second) == 25 and second != first
    program.run("destroy", "--yes", "--skip-preview")
