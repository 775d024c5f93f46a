"""Fixtures for tests of more than one folder."""

from tests.fakes.program import program

__all__ = ["program"]
