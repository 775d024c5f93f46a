"""One platform for all live tests, one stack for each; what stood in the cluster is told when a test fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from local.platform import Platform
from tests.live.stack import LiveStack


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The embedded platform; taken down again only where it was not running before."""
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
    "test_without_policies",
)
EACH_ALONE = ("test_operations", "test_database_failures", "test_interrupted", "test_existing_kong", "test_take_over")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest begin, so that no worker is left with one at the end."""
    names = dict(zip(LONGEST_FIRST, range(len(LONGEST_FIRST)), strict=True))
    items.sort(key=lambda item: names.get(item.path.stem, len(names)))


class Scheduling(LoadScopeScheduling):
    """What runs on one worker: a whole file, which shares a stack, but each test by itself where it has its own."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return nodeid if Path(file).stem in EACH_ALONE else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return Scheduling(config, log)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for stack in getattr(item, "live_stacks", []):
            report.sections.append((f"what stands of {stack.name}", stack.story()))


class Stacks:
    """Makes stacks below a folder, and takes down each that it made, whatever happened."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self._platform = platform
        self._folder = folder
        self.made: list[LiveStack] = []

    def __call__(self, **config: Any) -> LiveStack:
        directory = self._folder / f"stack-{len(self.made)}"
        directory.mkdir()
        stack = LiveStack(platform=self._platform, directory=directory)
        self.made.append(stack)
        stack.prepare(**config)
        return stack

    def tear_down(self) -> None:
        for stack in self.made:
            stack.tear_down()


@pytest.fixture
def new_stack(platform: Platform, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stacks]:
    """Makes stacks for one test, `new_stack(mode="async")`."""
    stacks = Stacks(platform, tmp_path)
    request.node.live_stacks = stacks.made
    try:
        yield stacks
    finally:
        stacks.tear_down()


@pytest.fixture(scope="module")
def module_stack(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    """Makes stacks that the tests of one file share."""
    stacks = Stacks(platform, tmp_path_factory.mktemp("module"))
    try:
        yield stacks
    finally:
        stacks.tear_down()


@pytest.fixture(autouse=True)
def story_of_the_shared_stacks(request: pytest.FixtureRequest) -> None:
    """A test of a shared stack that fails tells what stands of it, too."""
    if "module_stack" in request.fixturenames:
        request.node.live_stacks = request.getfixturevalue("module_stack").made
