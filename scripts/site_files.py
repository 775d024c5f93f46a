"""The files of the documentation site, as a hook of MkDocs: the pages of the whole repository, and what they link.

A page has the path that it has in the repository, so that links work on both. MkDocs itself reads one folder only.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

CLONE = Path(__file__).parents[1]

_PACKAGES = Path("docs/site/node_modules")
_SCRIPTS = {
    "assets/javascripts/mermaid.js": _PACKAGES / "@mermaid-js/tiny/dist/mermaid.tiny.js",
    "assets/javascripts/iframe-worker.js": _PACKAGES / "iframe-worker/shim/index.js",
}
"""Address in the site -> file of an npm package, which `make docs` installs."""

_OF_THE_SITE = (Path("docs/site/site.css"), Path("docs/site/favicon.svg"))
_LINK = re.compile(r"\]\(([^)\s#]+)")


def pages() -> list[Path]:
    """The Markdown pages, relative to the clone: those of the root and of docs, and every README of another folder."""
    patterns = ("*.md", "docs/**/*.md", "*/README.md", "examples/*/README.md")
    found = [path for pattern in patterns for path in CLONE.glob(pattern)]
    relative = {path.relative_to(CLONE) for path in found}
    return sorted(path for path in relative if not path.is_relative_to(_PACKAGES) and not path.parts[0].startswith("."))


def linked_files(page: Path) -> Iterator[Path]:
    """The files of the clone that a page links, relative to the clone. A broken link has none; MkDocs reports it."""
    for target in _LINK.findall((CLONE / page).read_text(encoding="utf-8")):
        path = (CLONE / page.parent / target).resolve()
        if path.is_file() and path.is_relative_to(CLONE) and path.suffix != ".md":
            yield path.relative_to(CLONE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replaces the files of the folder `docs` by those of the repository; called by MkDocs."""
    for file in list(files):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    paths = {*pages(), *_OF_THE_SITE, *(path for page in pages() for path in linked_files(page))}
    for path in sorted(paths):
        files.append(File(path.as_posix(), str(CLONE), config.site_dir, config.use_directory_urls))
    for address, path in _SCRIPTS.items():
        if (CLONE / path).exists():
            file = File(path.as_posix(), str(CLONE), config.site_dir, config.use_directory_urls, dest_uri=address)
            files.append(file)
    return files
