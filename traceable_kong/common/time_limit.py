"""Ends work that takes too long, whatever it waits for: the timeout of a socket restarts with each byte."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T], *, stop: Callable[[], object] = lambda: None) -> T:
    """The result of `work`, or its exception. Raises TimeoutError after so many seconds, and calls `stop`.

    `work` runs in a thread of its own, which is abandoned at the deadline: `stop` should make it end.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except InvalidStateError:
            return
        except BaseException as problem:
            future.set_exception(problem)

    threading.Thread(target=run, name="within a time limit", daemon=True).start()
    try:
        return future.result(timeout=max(0.0, seconds))
    except TimeoutError:
        # Also raised where the work itself timed out; then there is nothing to stop.
        stop()
        raise
