"""The Markdown pages of the repository: their text and links."""

import re
from collections.abc import Iterator
from pathlib import Path

from scripts.site_files import pages

CLONE = Path(__file__).parents[2]
PAGES = tuple(CLONE / page for page in pages())

_CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return _CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    """The targets of the page's links inside the repository: `file`, `file#anchor`, `#anchor`."""
    for target in _LINK.findall(_CODE.sub("", prose(page))):
        if not re.match(r"[a-z]+:", target):
            yield target
