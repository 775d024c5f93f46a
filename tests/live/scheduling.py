"""Which worker runs which tests, the longest first, and a line for each worker about what is left.

How long a test takes is known from the last run, and roughly without one.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

CACHE_KEY = "live/seconds"

SPLIT_BY_TEST = (
    *("test_operations", "test_database_failures", "test_interrupted", "test_existing_kong", "test_adoption"),
    *("test_installation", "test_permissions", "test_secrets", "test_shared_agent", "test_preflight"),
)
"""Files whose tests share nothing. The tests of another file share a stack, or a gateway, and run in one worker."""

FILE_SECONDS = {
    "test_operations": 600,
    "test_database_failures": 300,
    "test_existing_kong": 240,
    "test_failures": 240,
    "test_database": 240,
    "test_verification": 150,
    "test_adoption": 140,
    "test_permissions": 140,
    "test_shared_agent": 140,
    "test_installation": 140,
    "test_interrupted": 130,
    "test_existing_kong_preflight": 100,
    "test_without_admission_policies": 100,
    "test_preflight": 90,
    "test_values_files": 80,
    "test_kubeconfigs": 60,
    "test_releases": 60,
    "test_secrets": 50,
    "test_component_package": 40,
}
"""Roughly, for the first run in a clone."""

OTHER_FILE_SECONDS = 30

LONG_SECONDS = 45.0
"""A worker that is busy for longer gets a short unit next, so that a long one does not wait for this worker."""


def unit_of(test: str) -> str:
    """The file of a test, or the test itself if it shares nothing with the others of its file."""
    file = test.split("::")[0]
    return test if Path(file).stem in SPLIT_BY_TEST else file


def expected(tests: list[str], measured: Mapping[str, float]) -> dict[str, float]:
    """The expected seconds of each test."""
    counts = Counter(test.split("::")[0] for test in tests)
    rough = {file: FILE_SECONDS.get(Path(file).stem, OTHER_FILE_SECONDS) / count for file, count in counts.items()}
    return {test: measured.get(test, rough[test.split("::")[0]]) for test in tests}


def next_unit(seconds: Mapping[str, float], busy_seconds: float) -> str:
    """Chooses one of the units for a worker that still has `busy_seconds` of work."""
    choose = min if busy_seconds > LONG_SECONDS else max
    return choose(seconds, key=lambda unit: seconds[unit])


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a worker a whole unit at a time.

    A worker starts a test when it knows the next one, so it gets its next unit while it still runs the last tests of
    the previous one.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        self._started = time.monotonic()
        self._running: dict[Any, str] = {}
        self._seconds: dict[str, float] = {}

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _left(self, unit: Mapping[str, bool]) -> float:
        return sum(self._seconds[test] for test, completed in unit.items() if not completed)

    def _assign_work_unit(self, node: Any) -> None:
        if not self._seconds:
            self._seconds = expected(self.collection, self.config.cache.get(CACHE_KEY, {}))
        busy = sum(map(self._left, self.assigned_work[node].values()))
        chosen = next_unit({name: self._left(unit) for name, unit in self.workqueue.items()}, busy)
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)
        self._report(node)

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        super().mark_test_complete(node, item_index, duration)
        self._report(node)

    def _report(self, node: Any) -> None:
        """Prints a line when the worker starts another unit."""
        running = next((name for name, unit in self.assigned_work[node].items() if not all(unit.values())), "")
        if not running or self._running.get(node) == running:
            return
        self._running[node] = running
        unit = self.assigned_work[node][running]
        units = [*self.workqueue.values(), *(unit for work in self.assigned_work.values() for unit in work.values())]
        left, passed = sum(map(self._left, units)) / len(self.nodes), time.monotonic() - self._started
        writer = self.config.get_terminal_writer()
        if writer.width_of_current_line:
            writer.line()
        name, tests = running.removeprefix("tests/live/"), sum(map(self._pending, units))
        writer.line(
            f"{passed / 60:4.1f} min  {node.gateway.id}: {name}, {len(unit)} test{'s' * (len(unit) > 1)}, "
            f"about {self._left(unit):.0f} s; left in all: {tests}, about {left / 60:.0f} min"
        )

    @staticmethod
    def _pending(unit: Mapping[str, bool]) -> int:
        return list(unit.values()).count(False)


class Seconds:
    """Keeps how long each test took, with its setup and teardown, for the next run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._taken: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # The report of a subtest is of a subclass. Its time is part of the test's.
        if type(report) is pytest.TestReport:
            self._taken[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        if self._config.cache and self._taken:
            known = self._config.cache.get(CACHE_KEY, {})
            taken = {test: round(seconds, 1) for test, seconds in self._taken.items()}
            self._config.cache.set(CACHE_KEY, {**known, **taken})
