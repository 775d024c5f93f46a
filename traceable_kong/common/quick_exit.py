"""Ends the program without Python's last look at every object of all libraries, which nothing here needs."""

import atexit
import gc


def skip_last_collection() -> None:
    """What refers to itself is not collected at the end: no `__del__` of it runs."""
    atexit.register(gc.freeze)
