"""Waiting for something to happen, with a deadline and a reason."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

INTERVAL_SECONDS = 0.5

T = TypeVar("T")


@dataclass(frozen=True)
class NotYet:
    """An attempt that must be repeated; `error` makes the exception that says why, for when the time is up.

    `pause_seconds` is how long to wait before the next attempt, None for the usual interval.
    """

    error: Callable[[], Exception]
    pause_seconds: float | None = None


def wait_until(
    attempt: Callable[[float], T | NotYet], *, seconds: float, interval_seconds: float = INTERVAL_SECONDS
) -> T:
    """Calls `attempt` with the seconds waited so far until it returns something else than NotYet, and returns that.

    Raises the error of the last NotYet where another attempt would begin more than `seconds` after the first one.
    What `attempt` raises ends the wait.
    """
    started = time.monotonic()
    while True:
        result = attempt(time.monotonic() - started)
        if not isinstance(result, NotYet):
            return result
        pause = interval_seconds if result.pause_seconds is None else result.pause_seconds
        if time.monotonic() - started + pause > seconds:
            raise result.error()
        time.sleep(pause)
