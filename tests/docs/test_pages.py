"""Links between the pages resolve, and the README links every page."""

from pathlib import Path

import pytest

from tests.docs.pages import CLONE, PAGES, anchors, links


def named(page: Path) -> str:
    return page.relative_to(CLONE).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_resolve(page: Path) -> None:
    broken = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def test_the_readme_links_every_page() -> None:
    readme = CLONE / "README.md"
    linked = {(CLONE / target.partition("#")[0]).resolve() for target in links(readme)}
    unlinked = [named(page) for page in PAGES if page != readme and not ({page, page.parent / "README.md"} & linked)]
    assert not unlinked
