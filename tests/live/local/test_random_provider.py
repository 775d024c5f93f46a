"""The random plugin with the real engine: its messages, and where the password is stored."""

import json
from pathlib import Path

import pytest

from local.platform import Platform
from tests.live.local.pulumi_program import PulumiProgram

_PROGRAM = """\
import pulumi
import pulumi_random

config = pulumi.Config()
made = pulumi_random.RandomPassword("made", length=config.require_int("length"), special=False)
pulumi.export("password", made.result)
"""


@pytest.fixture
def program(platform: Platform, tmp_path: Path) -> PulumiProgram:
    return PulumiProgram(tmp_path, platform.env, name="passwords", source=_PROGRAM)


def password(program: PulumiProgram) -> str:
    return str(json.loads(program.run("stack", "output", "--json", "--show-secrets"))["password"])


def test_a_password_stays_until_an_input_changes_and_is_never_printed(
    platform: Platform, program: PulumiProgram
) -> None:
    program.run("config", "set", "length", "24")
    output = program.run("up", "--yes", "--skip-preview")
    assert ("random provider plugin in this run is a STAND-IN" in output) is (platform.plugins["random"] == "stand-in")
    first = password(program)
    assert len(first) == 24 and first.isalnum()
    assert first not in output
    for path in (program.folder / "state").rglob("*.json"):
        assert first not in path.read_text(), path

    program.run("up", "--yes", "--skip-preview", "--expect-no-changes")
    program.run("refresh", "--yes", "--expect-no-changes")
    assert password(program) == first

    program.run("config", "set", "length", "25")
    changes = json.loads(program.run("preview", "--json"))["changeSummary"]
    assert changes["replace"] == 1
    program.run("up", "--yes", "--skip-preview")
    second = password(program)
    assert len(second) == 25 and second != first
    program.run("destroy", "--yes", "--skip-preview")
