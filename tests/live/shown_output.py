"""The outputs that docs/what-it-looks-like.md shows: live tests compare them with what the commands print now.

With WRITE_SHOWN_OUTPUT=1, they write the page instead:
`WRITE_SHOWN_OUTPUT=1 .venv/bin/python -m pytest tests/live -m shown_output`.
"""

import os
import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "what-it-looks-like.md"
WRITE_VARIABLE = "WRITE_SHOWN_OUTPUT"
COMMAND = f"{WRITE_VARIABLE}=1 .venv/bin/python -m pytest tests/live -m shown_output"

PREVIEW = "The preview of an installation"
INSTALLATION = "The installation"
SWITCH = "A switch from sync to async"
PROTECTED = "A protected gateway"
NOT_PROTECTED = "A pod without an answer from its TME"
REFUSED_CONFIG = "A config with mistakes"
REFUSED_UPDATE = "An update that would fail"
REMOVAL = "The removal"

STACK = "dev"
PODS = ("6d5c9f7b8-4xk2p", "6d5c9f7b8-9wz7q")

_BLOCK = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^(?: [+~-] |   ) (\w[\w.-]*:\S+) ([^\s(]\S*)")
"""A line about one resource: its operation, type and name."""

_DROPPED = re.compile(r"@ |pulumi [a-z]+ exited with \d+$|^ [ +~-]  pulumi:pulumi:Stack ")
"""Progress, the test's own words, and the lines about the stack itself, whose last one is not always the same."""

_OF_THE_PLATFORM = re.compile(r"is a STAND-IN for the official one|^\s*note: .*which the injector's webhook calls")
_REPLACED = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "SHA256"),
    (re.compile(rf"(traceable-kong\.{STACK})-[0-9a-f]{{8}}\b"), r"\1-01234567"),
    (re.compile(r" \(\d+(?:\.\d+)?m?s\)"), ""),
    (re.compile(r"\btook [\d.]+ s\b"), "took N s"),
    (re.compile(r"^(Duration:) .*", re.MULTILINE), r"\1 N s"),
    (re.compile(r"[ ;]+$", re.MULTILINE), ""),
)


def compare(heading: str, output: str, *, stack: str) -> None:
    """Checks that the page shows this output of a command on this stack, or writes it there."""
    text = PAGE.read_text(encoding="utf-8")
    before, title, after = text.partition(f"## {heading}\n")
    assert title, f"{PAGE} has no heading {heading}"
    now = normalized(output, stack=stack)
    if os.environ.get(WRITE_VARIABLE):
        block = f"```text\n{now}\n```"
        PAGE.write_text(before + title + _BLOCK.sub(lambda _: block, after, count=1), encoding="utf-8")
        return
    found = _BLOCK.search(after)
    assert found, f"{PAGE} shows nothing below {heading}"
    old, new = (["\n".join(part) for part in in_any_order(shown)] for shown in (found[1], now))
    changed = "\n".join(unified_diff("\n".join(old).splitlines(), "\n".join(new).splitlines(), lineterm=""))
    assert not changed, f"{heading} is out of date: {COMMAND}\n{changed}"


def in_any_order(text: str) -> tuple[list[str], list[str]]:
    """The lines about resources, sorted, because those that do not wait for one another run in parallel; the others.

    Without empty lines, of which Pulumi writes one after its first sign of progress, wherever that is.
    """
    lines = [line for line in text.splitlines() if line]
    return sorted(filter(_ROW.match, lines)), [line for line in lines if not _ROW.match(line)]


def normalized(output: str, *, stack: str) -> str:
    """The output without what differs between runs (names, digests, times), progress, and lines about the platform."""
    text = output.replace(stack, STACK)
    for pod, name in zip(dict.fromkeys(re.findall(rf"{STACK}-kong-\w{{8,10}}-\w{{5}}\b", text)), PODS, strict=False):
        text = text.replace(pod, f"{STACK}-kong-{name}")
    lines = [line for line in text.splitlines() if not _DROPPED.match(line)]
    lines = list(_aligned(_last_of_each(line for line in lines if not _OF_THE_PLATFORM.search(line))))
    text = "\n".join(lines)
    for pattern, replacement in _REPLACED:
        text = pattern.sub(replacement, text)
    text = re.sub(r"^Diagnostics:\n  \S+ \(\S+\):\n(?=\n|\Z)", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _last_of_each(lines: Iterator[str]) -> Iterator[str]:
    """The lines, and of those about a resource the last one."""
    kept = list(lines)
    last = {found.groups(): number for number, line in enumerate(kept) if (found := _ROW.match(line))}
    for number, line in enumerate(kept):
        found = _ROW.match(line)
        if not found or last[found.groups()] == number:
            yield line


def _aligned(lines: Iterator[str]) -> Iterator[str]:
    """The lines, with the columns of a report as wide as its cells."""
    table: list[list[str]] = []
    for line in [*lines, ""]:
        if line.startswith("POD  ") or (table and line):
            table.append(re.split(r" {2,}", line))
            continue
        widths = [max(map(len, column)) for column in zip(*table, strict=False)]
        for row in table:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        table = []
        yield line
