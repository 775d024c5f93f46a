"""Where an expectation of the conformance suite comes from, kept so that a table can be made of it.

`python -m tests.live.local.provider.expectations` prints the table in Markdown.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

SOURCES = "pulumi/pulumi-kubernetes: provider/pkg/"
"""What a source that is a file of the official plugin is relative to."""

_Test = TypeVar("_Test", bound=Callable[..., object])


@dataclass(frozen=True)
class Expectation:
    """One promise: what holds, where that is written, and whether that source confirms it in these words."""

    text: str
    source: str
    confirmed: bool
    test: str


EXPECTATIONS: list[Expectation] = []


def expect(text: str, *, source: str, confirmed: bool = True) -> Callable[[_Test], _Test]:
    """Marks a test as the check of an expectation. `source` is a URL, an issue, or a file of the official plugin."""

    def mark(test: _Test) -> _Test:
        EXPECTATIONS.append(
            Expectation(text, source, confirmed, f"{test.__module__.rsplit('.', 1)[-1]}.{test.__name__}")
        )
        return test

    return mark


def table() -> str:
    """All expectations as a Markdown table."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"tests.live.local.provider.{file.stem}")
    found = importlib.import_module("tests.live.local.provider.expectations").EXPECTATIONS
    lines = [f"Files are those of {SOURCES}", "", "| expectation | source | confirmed | test |", "|---|---|---|---|"]
    lines += [
        f"| {each.text} | {each.source} | {'yes' if each.confirmed else 'no'} | `{each.test}` |"
        for each in sorted(found, key=lambda each: each.test)
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
