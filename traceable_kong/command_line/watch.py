"""Observes a gateway again and again, until the program is interrupted."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from traceable_kong.command_line.verify_outcome import NOT_OBSERVED, VerifyOutcome
from traceable_kong.common.time_limit import within
from traceable_kong.verification.report import Report

OBSERVATION_SECONDS = 120.0
"""For one observation. It ends by itself earlier, unless a server answers very slowly."""


@dataclass
class Watched:
    """What was observed so far.

    `since` is when the current state began; `report` is the last one, also while no new one can be had, and `reported`
    its time. `changed` is False for an observation that is as the one before.
    """

    started: datetime
    outcome: VerifyOutcome
    at: datetime
    since: datetime
    report: Report | None = None
    reported: datetime | None = None
    changed: bool = True
    exit_codes: list[int] = field(default_factory=list)

    def add(self, outcome: VerifyOutcome, at: datetime) -> None:
        self.changed = not self.exit_codes or state_of(outcome) != state_of(self.outcome)
        self.outcome, self.at = outcome, at
        if self.changed:
            self.since = at
        if outcome.report:
            self.report, self.reported = outcome.report, at
        self.exit_codes.append(outcome.exit_code)

    @property
    def summary(self) -> str:
        """How often what was observed."""
        codes = self.exit_codes
        bad = {1: "not as configured", 2: "not observed, or not completely"}
        counts = [f"{codes.count(code)} of them {words}" for code, words in bad.items() if code in codes]
        return ", ".join([f"{len(codes)} observation{'' if len(codes) == 1 else 's'}", *counts])


class Display(Protocol):
    """Shows what is watched."""

    def show(self, watched: Watched) -> None:
        """After each observation."""

    def end(self, watched: Watched | None) -> None:
        """At the end; None if there was no observation."""


def state_of(outcome: VerifyOutcome) -> object:
    """What makes a change worth a line."""
    report = outcome.report
    if report is None:
        return outcome.passes, outcome.error
    failed = {(check.pod, check.name, check.found) for check in report.failed}
    return report.verdict, failed, report.not_checked, report.warnings, {check.pod for check in report.checks}


def now() -> datetime:
    return datetime.now(UTC)


def watch(observe: Callable[[], VerifyOutcome], display: Display, *, interval: float) -> int:
    """Observes every `interval` seconds until SIGINT or SIGTERM. Returns the exit code of the last observation.

    Ends at once if the first observation has an error that does not pass by itself. Raises OSError where the display
    cannot be written.
    """
    watched: Watched | None = None
    with _until_terminated():
        try:
            while True:
                began = time.monotonic()
                outcome, at = _observed(observe), now()
                watched = watched or Watched(started=at, outcome=outcome, at=at, since=at)
                watched.add(outcome, at)
                display.show(watched)
                if len(watched.exit_codes) == 1 and outcome.error and not outcome.passes:
                    break
                time.sleep(max(0.0, interval - (time.monotonic() - began)))
        except KeyboardInterrupt:
            pass
        except BrokenPipeError:
            # What reads the output has ended.
            return watched.outcome.exit_code if watched else NOT_OBSERVED
        with suppress(BrokenPipeError):
            display.end(watched)
    return watched.outcome.exit_code if watched else NOT_OBSERVED


def _observed(observe: Callable[[], VerifyOutcome]) -> VerifyOutcome:
    """In a thread of its own, which an interrupt does not have to wait for."""
    try:
        return within(OBSERVATION_SECONDS, observe)
    except TimeoutError:
        return VerifyOutcome(error=f"no complete observation within {OBSERVATION_SECONDS:.0f} s", passes=True)


@contextmanager
def _until_terminated() -> Iterator[None]:
    """Makes SIGTERM, which ends a container, end the watch as Ctrl-C does."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
