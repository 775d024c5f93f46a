"""Time for a test: it passes only in `sleep`."""

from collections.abc import Callable


class Clock:
    """Replaces the module `time`; `then` is called with the time after each sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.then: Callable[[float], object] = lambda now: None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        assert self.now < 10_000, "the code under test never stops to wait"
        self.then(self.now)

    def monotonic(self) -> float:
        return self.now
