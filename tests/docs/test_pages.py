"""The README links every page, and the site shows each page as GitHub does."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import CLONE, PAGES, links, prose

NESTED = re.compile(r"^ {1,3}([-*] |\d+\. |```|\|)")
GLUED = re.compile(r"\n\n +[^\n]+(?:\n +[^\n]+)*\n(?:- |\d+\. )[^\n]*")
ESCAPED = re.compile(r"`[^`]*\\\|[^`]*`")


def named(page: Path) -> str:
    return page.relative_to(CLONE).as_posix()


def test_the_readme_links_every_page() -> None:
    readme = CLONE / "README.md"
    linked = {(CLONE / target.partition("#")[0]).resolve() for target in links(readme)}
    unlinked = [named(page) for page in PAGES if page != readme and not ({page, page.parent / "README.md"} & linked)]
    assert not unlinked


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_site_shows_lists_and_tables_as_github_does(page: Path) -> None:
    lines = prose(page).splitlines()
    assert [line for line in lines if NESTED.match(line)] == [], "what is nested in a list has four spaces"
    assert GLUED.findall(prose(page)) == [], "the next item needs an empty line before it"
    assert [line for line in lines if ESCAPED.search(line)] == [], "the site shows the backslash"
