"""Time for a test: it only passes while somebody sleeps."""

from collections.abc import Callable


class Clock:
    """In place of the module `time`; `then` is what happens at each moment that somebody wakes up."""

    def __init__(self) -> None:
        self.now = 0.0
        self.then: Callable[[float], object] = lambda now: None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        assert self.now < 10_000, "nobody ended it"
        self.then(self.now)

    def monotonic(self) -> float:
        return self.now
