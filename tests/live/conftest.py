"""One platform for all live tests and stacks on it; a failed test reports the objects of its stacks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from local.platform import Platform
from tests.live.stack import LiveStack


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The embedded platform; stopped afterwards unless it ran before."""
    found = Platform.ensure()
    yield found
    if not found.was_running:
        found.stop()


LONGEST_FIRST = (
    "test_operations",
    "test_database",
    "test_failures",
    "test_database_failures",
    "test_shared_agent",
    "test_installation",
    "test_interrupted",
    "test_existing_kong",
    "test_without_admission_policies",
)
SPLIT_BY_TEST = ("test_operations", "test_database_failures", "test_interrupted", "test_existing_kong", "test_adoption")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starts the longest files first, so that no worker is left with one at the end."""
    names = dict(zip(LONGEST_FIRST, range(len(LONGEST_FIRST)), strict=True))
    items.sort(key=lambda item: names.get(item.path.stem, len(names)))


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a worker a whole file, whose tests share a stack, or a single test where each has its own."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return nodeid if Path(file).stem in SPLIT_BY_TEST else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
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

    def __init__(self, platform: Platform, folder: Path) -> None:
        self._platform = platform
        self._folder = folder
        self.created: list[LiveStack] = []

    def __call__(self, **config: Any) -> LiveStack:
        directory = self._folder / f"stack-{len(self.created)}"
        directory.mkdir()
        stack = LiveStack(platform=self._platform, directory=directory)
        self.created.append(stack)
        stack.prepare(**config)
        return stack

    def tear_down(self) -> None:
        for stack in self.created:
            stack.tear_down()


@pytest.fixture
def new_stack(platform: Platform, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stacks]:
    """Creates stacks for one test, `new_stack(mode="async")`."""
    stacks = Stacks(platform, tmp_path)
    request.node.live_stacks = stacks.created
    try:
        yield stacks
    finally:
        stacks.tear_down()


@pytest.fixture(scope="module")
def module_stack(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    """Creates stacks that the tests of one file share."""
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
