"""One platform for all live tests and stacks on it; a failed test reports the objects of its stacks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.platform import Platform
from tests.live.scheduling import Scheduling, Seconds
from tests.live.stack import LiveStack
from tests.live.warm.python_server import warm_python


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The embedded platform; stopped afterwards unless it ran before."""
    found = Platform.ensure()
    try:
        with warm_python(found.env) as environment:
            yield replace(found, env=environment)
    finally:
        if not found.was_running:
            found.stop()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "shown_output: docs/what-it-looks-like.md shows what a command prints here")
    config.addinivalue_line("markers", "cold: Python starts as on a user's machine, without tests/live/warm")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Seconds(config))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for stack in getattr(item, "live_stacks", []):
            report.sections.append((f"objects of {stack.name}", stack.diagnostics()))


class Stacks:
    """Creates stacks below a folder and tears all of them down."""

    def __init__(self, platform: Platform, folder: Path, *, cold: bool = False) -> None:
        self._platform = platform
        self._folder = folder
        self._cold = cold
        self.created: list[LiveStack] = []

    def __call__(self, **config: Any) -> LiveStack:
        directory = self._folder / f"stack-{len(self.created)}"
        directory.mkdir()
        stack = LiveStack(platform=self._platform, directory=directory, cold=self._cold)
        self.created.append(stack)
        stack.prepare(**config)
        return stack

    def tear_down(self) -> None:
        for stack in self.created:
            stack.tear_down()

    def discard(self) -> None:
        for stack in self.created:
            stack.discard()


@pytest.fixture
def new_stack(platform: Platform, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stacks]:
    """Creates stacks for one test, `new_stack(mode="async")`. What is left of them is deleted without Pulumi."""
    stacks = Stacks(platform, tmp_path, cold=request.node.get_closest_marker("cold") is not None)
    request.node.live_stacks = stacks.created
    try:
        yield stacks
    finally:
        stacks.discard()


@pytest.fixture(scope="module")
def module_stack(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    """Creates stacks that the tests of one file share. They are destroyed in the state that these tests leave."""
    stacks = Stacks(platform, tmp_path_factory.mktemp("module"))
    try:
        yield stacks
    finally:
        stacks.tear_down()


@pytest.fixture(autouse=True)
def report_shared_stacks(request: pytest.FixtureRequest) -> None:
    """Makes a failed test report the stacks that it shares, too."""
    if "module_stack" in request.fixturenames:
        request.node.live_stacks = request.getfixturevalue("module_stack").created
