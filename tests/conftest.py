"""Fixtures for tests of more than one folder, and how property tests run."""

from hypothesis import HealthCheck, settings

from tests.fakes.program import program
from tests.fakes.team import team

__all__ = ["program", "team"]

# How long an example takes depends on what else the machine does.
settings.register_profile("random", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples in every run: a change fails by what it changes. `random` looks for new ones.
settings.register_profile("repeatable", parent=settings.get_profile("random"), derandomize=True, database=None)
settings.load_profile("repeatable")
