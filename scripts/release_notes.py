"""Prints the section of CHANGELOG.md that a tag releases.

    python3 -m scripts.release_notes v0.1.0 > notes.md

Needs nothing but Python. Fails where the tag, the version in pyproject.toml and CHANGELOG.md do not agree.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

CLONE = Path(__file__).parents[1]


class NotReleasable(Exception):
    """The text says what does not agree."""


def notes(tag: str, folder: Path) -> str:
    """The section of the tag's version, without its heading. Raises NotReleasable."""
    version = str(tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    if tag != f"v{version}":
        raise NotReleasable(
            f"The tag is {tag!r}, but the version in pyproject.toml is {version}. Nothing was released. "
            f"Tag v{version}, or change the version and tag that commit."
        )
    changelog = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    section = re.search(rf"^## \[?{re.escape(version)}\]?( .*)?\n(?P<text>(?:(?!## ).*\n?)*)", changelog, re.MULTILINE)
    text = section["text"].strip() if section else ""
    if not text:
        raise NotReleasable(
            f"CHANGELOG.md says nothing below a heading `## {version} - DATE`. Nothing was released. "
            "Move what is below `## Unreleased` there, and tag that commit."
        )
    return f"{text}\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m scripts.release_notes")
    parser.add_argument("tag")
    try:
        sys.stdout.write(notes(parser.parse_args().tag, CLONE))
    except NotReleasable as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
