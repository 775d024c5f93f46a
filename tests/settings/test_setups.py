"""Every stack file that docs/setups.md shows is one that the program takes, once the rock's digest is filled in."""

import re
from pathlib import Path

import pytest

from tests.settings.stack_file import parse_file

PAGE = Path(__file__).parents[2] / "docs" / "setups.md"
PLACEHOLDER = "<sha256 of the rock>"
STACK_FILES = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", STACK_FILES)
def test_a_stack_file_of_the_page_is_accepted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.shown.yaml"
    assert PLACEHOLDER in text
    path.write_text(text.replace(PLACEHOLDER, "ab" * 32), encoding="utf-8")
    parse_file(path)


def test_the_page_shows_an_agent_of_each_kind() -> None:
    agents = {(found[0] == "false", bool(found[1])) for found in map(_agent, STACK_FILES)}
    assert agents == {(False, False), (True, False), (True, True)}


def _agent(text: str) -> tuple[str, str]:
    install = re.search(r"install: (\w+)", text)
    url = re.search(r"\burl: ", text)
    return (install[1] if install else "true", url[0] if url else "")
