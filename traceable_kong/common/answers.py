"""Answers that several threads share."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any


class Answers:
    """Answers by question. An error is an answer too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}

    def once(self, question: Hashable, ask: Callable[[], Any]) -> Any:
        """The answer; `ask` is called for the first of those who want to know it, and the others wait."""
        with self._lock:
            future = self._answers.get(question)
            first = future is None
            if future is None:
                future = self._answers[question] = Future()
        if first:
            try:
                future.set_result(ask())
            except Exception as problem:
                future.set_exception(problem)
        return future.result()
