"""Fixtures for tests of more than one folder."""

from tests.fakes.program import program
from tests.fakes.team import team

__all__ = ["program", "team"]
