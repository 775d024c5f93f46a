"""Fixtures for tests of more than one folder, how property tests run, and what tests may interrupt."""

import signal

from hypothesis import HealthCheck, settings

from tests.fakes.program import program
from tests.fakes.team import team

__all__ = ["program", "team"]

# How long an example takes depends on what else the machine does.
settings.register_profile("random", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples in every run: a change fails by what it changes. `random` looks for new ones.
settings.register_profile("repeatable", parent=settings.get_profile("random"), derandomize=True, database=None)
settings.load_profile("repeatable")

# A shell starts what runs in the background with SIGINT ignored, and so would be what a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
