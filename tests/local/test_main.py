"""What the commands behind the Makefile ask Pulumi. Nothing is run."""

import json
from pathlib import Path
from typing import Any

import pytest

from local import __main__ as commands
from local import paths

PLATFORM: Any = None


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that were run, with an empty backend."""
    done: list[str] = []

    def output(platform: Any, *command: str) -> str:
        done.append(" ".join(command))
        return ""

    monkeypatch.setattr(paths, "BACKEND", tmp_path)
    monkeypatch.setattr(commands, "_output", output)
    return done


def test_a_stack_is_only_unlocked_if_an_interrupted_update_has_left_its_lock(asked: list[str], tmp_path: Path) -> None:
    commands._select(PLATFORM)
    assert asked == ["pulumi stack select --create local"]
    lock = tmp_path / ".pulumi" / "locks" / "organization" / "traceable-kong" / "local" / "5f3.json"
    lock.parent.mkdir(parents=True)
    lock.touch()
    commands._select(PLATFORM)
    assert asked[-1] == "pulumi cancel --yes local"


@pytest.mark.parametrize(
    ("changes", "unchanged"),
    [({"same": 24, "read": 1}, True), ({"same": 23, "update": 1}, False), ({"create": 24}, False), (None, True)],
)
def test_an_update_that_changed_nothing_is_told(
    changes: dict[str, int] | None, unchanged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = json.dumps([{"kind": "update", "resourceChanges": changes}])
    monkeypatch.setattr(commands, "_output", lambda platform, *command: history)
    assert commands._unchanged(PLATFORM) is unchanged


def test_the_history_of_the_stack_is_removed_with_the_platform() -> None:
    """`down` says that there is nothing left for `pulumi stack rm`."""
    assert paths.BACKEND.is_relative_to(paths.STATE)
