"""Background processes: started once, restarted with other arguments, stopped. Other programs are never stopped."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.processes.background_process import BackgroundProcess, BackgroundProcessError

Make = Callable[..., BackgroundProcess]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[BackgroundProcess] = []

    def background(*arguments: str) -> BackgroundProcess:
        made.append(
            BackgroundProcess(
                module="tests.local.processes.sleeper", directory=tmp_path, state_file="state.json", arguments=arguments
            )
        )
        return made[-1]

    yield background
    for item in made:
        item.stop()


def test_a_process_is_started_once_and_stopped(make: Make) -> None:
    state = make().start()
    assert make().start() == state
    make().stop()
    assert make().running() is None


def test_other_arguments_restart_the_process(make: Make) -> None:
    first = make().start()
    second = make("--other").start()
    assert second["pid"] != first["pid"]
    assert make("--other").start() == second


def test_a_process_that_does_not_start_is_reported_with_its_log(make: Make, tmp_path: Path) -> None:
    with pytest.raises(BackgroundProcessError, match=r"sleeper\.log"):
        make("--fails").start()
    assert "no" in (tmp_path / "sleeper.log").read_text()


def test_a_reused_process_id_is_not_stopped(make: Make, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps({"pid": os.getpid()}))
    assert make().running() is None
    make().stop()
