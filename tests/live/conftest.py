"""One platform for all live tests, one stack for each; what stood in the cluster is told when a test fails."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.platform import Platform
from tests.live.stack import LiveStack


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The embedded platform; taken down again only where it was not running before."""
    found = Platform.ensure()
    yield found
    if not found.was_running:
        found.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for stack in getattr(item, "live_stacks", []):
            report.sections.append((f"what stands of {stack.name}", stack.story()))


@pytest.fixture
def new_stack(platform: Platform, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., LiveStack]]:
    """Makes stacks, `new_stack(mode="async")`; each is destroyed at the end, whatever happened."""
    stacks: list[LiveStack] = []
    request.node.live_stacks = stacks

    def make(**config: Any) -> LiveStack:
        directory = tmp_path / f"stack-{len(stacks)}"
        directory.mkdir()
        stack = LiveStack(platform=platform, directory=directory)
        stacks.append(stack)
        stack.prepare(**config)
        return stack

    try:
        yield make
    finally:
        for stack in stacks:
            stack.tear_down()
