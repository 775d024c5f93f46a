"""The config keys, labels and annotations that the pages name exist."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import CLONE, PAGES
from tests.docs.program_texts import texts

CONFIGURATION = CLONE / "docs" / "configuration.md"
PROSE = [page for page in PAGES if page != CONFIGURATION]

KEYS = set(re.findall(r"^\| `([\w.]+)` \|", CONFIGURATION.read_text(encoding="utf-8"), re.MULTILINE))
FREE = {"kongValues", "agentValues", "pluginConfig"}
"""Objects whose keys the schema leaves to the user."""
NOT_KEYS = {"kong.conf", "KEY", "tmeGaurd"}
"""A file, a placeholder, and the typo of docs/what-it-looks-like.md."""
OBJECTS = {key.split(".")[0] for key in KEYS if "." in key}


def without_index(key: str) -> str:
    return re.sub(r"\[\d+\]", "", key)


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_config_keys_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    inline = [key for key in re.findall(r"`([\w.]+)(?:: [^`]*)?`", text) if key.split(".")[0] in OBJECTS]
    set_by_command = re.findall(r"config (?:set|rm)[^\n`]* '?traceable-kong:([A-Za-z][\w.\[\]]*)", text)
    in_stack_files = re.findall(r"^  traceable-kong:(\w+):", text, re.MULTILINE)
    unknown = {
        key
        for key in map(without_index, (*inline, *set_by_command, *in_stack_files))
        if key not in KEYS | NOT_KEYS and key.split(".")[0] not in FREE
    }
    assert not unknown


def test_labels_and_annotations_exist() -> None:
    known = {name for text in texts() for name in re.findall(r"traceable-kong/[a-z-]+", text)}
    named = {
        name for page in PAGES for name in re.findall(r"traceable-kong/[a-z-]+\b", page.read_text(encoding="utf-8"))
    }
    folders = {"traceable-kong/rocks", "traceable-kong/package", "traceable-kong/sdk"}
    assert named - known <= folders
