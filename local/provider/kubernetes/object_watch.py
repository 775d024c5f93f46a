"""Waits for the next change of an object, with a watch."""

import threading
import time

from local.provider.kubernetes.api_client import ApiError, Unreachable
from local.provider.kubernetes.provider_context import Context

TICK_SECONDS = 0.02


class ObjectWatch:
    """Watches the object at a path. Without a permission to watch it, every wait lasts its whole time."""

    def __init__(self, context: Context, path: str) -> None:
        self._context = context
        self._path = path
        self._version = ""
        self._changed = threading.Event()
        self._thread: threading.Thread | None = None

    def wait(self, version: str, seconds: float) -> None:
        """Returns when the object is no longer at this resourceVersion, or after `seconds`. Raises Cancelled.

        The change of a version is reported once: a caller that still has that version waits for the whole time.
        """
        if version != self._version and not (self._thread and self._thread.is_alive()):
            self._version = version
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0 and not self._changed.is_set():
            self._context.sleep(min(TICK_SECONDS, left))
        self._changed.clear()

    def _watch(self) -> None:
        try:
            self._context.cluster.wait_for_change(self._path, self._version)
            self._changed.set()
        except (ApiError, Unreachable):
            return
