"""Waits end with the result, or at their deadline with the reason of the last attempt."""

import pytest

from tests.fakes.clock import Clock
from traceable_kong.common import waiting
from traceable_kong.common.waiting import NotYet, wait_until


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def test_the_first_success_is_returned_without_waiting(clock: Clock) -> None:
    assert wait_until(lambda waited: "done", seconds=10) == "done"
    assert clock.now == 0


def test_an_attempt_is_repeated_until_it_succeeds(clock: Clock) -> None:
    found = wait_until(lambda waited: waited if waited >= 3 else NotYet(lambda: AssertionError()), seconds=10)
    assert (found, clock.now) == (3, 3)


@pytest.mark.parametrize(("seconds", "last"), [(2, 2.0), (0, 0.0), (0.4, 0.0)])
def test_at_the_deadline_the_last_reason_is_raised(clock: Clock, seconds: float, last: float) -> None:
    with pytest.raises(TimeoutError, match=f"^after {last}$"):
        wait_until(lambda waited: NotYet(lambda: TimeoutError(f"after {waited}")), seconds=seconds)
    assert clock.now == last


def test_an_error_of_an_attempt_ends_the_wait(clock: Clock) -> None:
    def attempt(waited: float) -> None:
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        wait_until(attempt, seconds=10)
    assert clock.now == 0
