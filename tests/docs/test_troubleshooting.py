"""The program prints the texts that docs/troubleshooting.md quotes."""

import pytest

from tests.docs.pages import CLONE
from tests.docs.program_texts import VALUE, literals, pattern, quotes, texts

PAGE = CLONE / "docs" / "troubleshooting.md"
MINIMUM_LENGTH = 15
"""Characters that a quote has at least, without its placeholders."""


@pytest.fixture(scope="module")
def program() -> list[str]:
    return sorted(set(texts()))


@pytest.mark.parametrize("quote", quotes(PAGE))
def test_the_program_prints_what_the_page_quotes(quote: str, program: list[str]) -> None:
    assert sum(map(len, literals(quote))) >= MINIMUM_LENGTH
    wanted = pattern(quote)
    assert any(wanted.search(text) for text in program)


def test_a_placeholder_matches_a_value_or_a_word_in_capitals() -> None:
    assert pattern("pod POD has no TME container").search(f"pod {VALUE} has no TME container")
    assert not pattern("pod POD has no container").search(f"pod {VALUE} has no TME container")
    assert not pattern("pod x has no container").search(f"pod {VALUE} has no container")
