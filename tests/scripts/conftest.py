"""A runner for the shell of workflows."""

from pathlib import Path

import pytest

from tests.scripts.workflows import Runner


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)
