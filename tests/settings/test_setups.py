"""Every stack file that the pages show is one that the program takes, once the rock's digest is filled in."""

import re
from pathlib import Path

import pytest

from tests.settings.stack_file import parse_file

DOCS = Path(__file__).parents[2] / "docs"
PLACEHOLDER = "<sha256 of the rock>"


def shown(page: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", [*shown("setups.md"), *shown("database.md")])
def test_a_stack_file_of_the_page_is_accepted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.shown.yaml"
    assert PLACEHOLDER in text
    path.write_text(text.replace(PLACEHOLDER, "ab" * 32), encoding="utf-8")
    parse_file(path)


def test_the_page_shows_an_agent_of_each_kind() -> None:
    agents = {(found[0] == "false", bool(found[1])) for found in map(_agent, shown("setups.md"))}
    assert agents == {(False, False), (True, False), (True, True)}


def _agent(text: str) -> tuple[str, str]:
    install = re.search(r"install: (\w+)", text)
    url = re.search(r"\burl: ", text)
    return (install[1] if install else "true", url[0] if url else "")
