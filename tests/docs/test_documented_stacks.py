"""The program accepts every stack file that the pages show, and a live test runs those of documented_stacks.PAGES."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.config.stack_file import parse_file
from tests.live import documented_stacks

PLACEHOLDER = "<sha256 of the rock>"
LIVE = Path(documented_stacks.__file__).parent
STACK_FILES = documented_stacks.stack_files()
OF_DATABASES = documented_stacks.STACK_FILE.findall(
    (documented_stacks.DOCS / "database.md").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("text", [*STACK_FILES.values(), *OF_DATABASES])
def test_a_stack_file_of_the_page_is_accepted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.shown.yaml"
    assert (PLACEHOLDER in text) is ("gateway: false" not in text)
    path.write_text(text.replace(PLACEHOLDER, "ab" * 32), encoding="utf-8")
    parse_file(path)


def test_every_stack_file_of_the_docs_is_found() -> None:
    shown = sum(
        page.read_text(encoding="utf-8").count("```yaml\nconfig:") for page in documented_stacks.DOCS.rglob("*.md")
    )
    assert len(STACK_FILES) + len(OF_DATABASES) == shown


@pytest.mark.parametrize("heading", STACK_FILES)
def test_a_live_test_runs_it(heading: str) -> None:
    (name,) = [name for name, value in vars(documented_stacks).items() if value == heading]
    sources = [path.read_text(encoding="utf-8") for path in LIVE.glob("*.py")]
    assert any(re.search(rf"\b(use_documented|gateway_stack)\(\s*\w+,\s*{name}\b", source) for source in sources)


def test_the_page_shows_a_kong_and_an_agent_of_each_kind() -> None:
    shown = [documented_stacks.documented_config(heading) for heading in STACK_FILES]
    assert {_is_managed(config, "kong") for config in shown} == {True, False}
    agents = {(_is_managed(config, "agent"), "url" in config.get("agent", {})) for config in shown}
    assert agents == {(True, False), (False, False), (False, True)}


def _is_managed(config: dict[str, Any], part: str) -> bool:
    return bool(config.get(part, {}).get("install", True))
