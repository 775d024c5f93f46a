"""The documentation site has every page and no broken link, and loads nothing from other hosts."""

import logging
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from tests.docs.pages import CLONE, PAGES

CONFIG, HOOK = "mkdocs.yml", "scripts/site_files.py"
LOADED = re.compile(r"""<(?:script|img|iframe)\b[^>]*\ssrc="?([^">\s]+)|<link\b[^>]*\shref="?([^">\s]+)""")
BROKEN = {
    "a page": "[x](docs/missing.md)",
    "a file": "[`x`](bench/missing.sh)",
    "a folder": "[x](docs)",
    "an anchor": "[x](docs/other.md#missing)",
    "an anchor of the page": "[x](#missing)",
}


def build_site(clone: Path, site: Path, **overrides: Any) -> None:
    build(load_config(str(clone / CONFIG), strict=True, site_dir=str(site), **overrides))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site")
    build_site(CLONE, path)
    return path


def test_every_page_is_in_the_site(site: Path) -> None:
    shown = {path.relative_to(site).as_posix() for path in site.rglob("*.html")} - {"404.html"}
    names = [page.relative_to(CLONE).with_suffix(".html").as_posix().replace("README", "index") for page in PAGES]
    assert shown == set(names)


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    loaded = {
        first or second for page in site.rglob("*.html") for first, second in LOADED.findall(page.read_text("utf-8"))
    }
    assert any(address.endswith("assets/javascripts/mermaid.js") for address in loaded)
    assert [address for address in loaded if re.match(r"\w+:|//", address)] == []


def test_a_broken_link_is_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "scripts").mkdir()
    for path in (CONFIG, HOOK):
        shutil.copy(CLONE / path, tmp_path / path)
    shutil.copytree(CLONE / "docs" / "site", tmp_path / "docs" / "site")
    (tmp_path / "docs" / "other.md").write_text("# Other\n\n[Back](../README.md#here-it-is)\n")
    text = "# Page\n\n## Here it is\n\n[Other](docs/other.md#other)\n"
    (tmp_path / "README.md").write_text(text)
    build_site(tmp_path, tmp_path / "site", nav=["README.md", "docs/other.md"])

    (tmp_path / "README.md").write_text(text + "\n".join(BROKEN.values()))
    with caplog.at_level(logging.WARNING), pytest.raises(Abort):
        build_site(tmp_path, tmp_path / "site", nav=["README.md", "docs/other.md"])
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == len(BROKEN)
