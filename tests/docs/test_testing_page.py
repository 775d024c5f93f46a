"""docs/development/testing.md has the current table of the conformance suite."""

from pathlib import Path

from tests.live.local.provider import expectations

PAGE = Path(__file__).parents[2] / "docs" / "development" / "testing.md"


def test_the_table_of_expectations_is_current() -> None:
    assert expectations.table() in PAGE.read_text(encoding="utf-8"), "python -m tests.live.local.provider.expectations"
