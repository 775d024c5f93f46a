"""Ends the program without what Python does at the end, and nothing here needs."""

import atexit
import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn


def skip_last_collection() -> None:
    """What refers to itself is not collected at the end: no `__del__` of it runs."""
    atexit.register(gc.freeze)


def leave(code: int) -> NoReturn:
    """Ends the program at once: without this, Python waits for every request that has not ended yet."""
    # None where it was closed.
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
