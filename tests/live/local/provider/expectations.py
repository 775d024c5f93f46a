"""The source of each expectation of the conformance tests, collected in a table.

`python -m tests.live.local.provider.expectations` prints the table in Markdown.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

SOURCES = "pulumi/pulumi-kubernetes: provider/pkg/"
"""The folder of sources that are files of the official plugin."""

_Test = TypeVar("_Test", bound=Callable[..., object])


@dataclass(frozen=True)
class Expectation:
    """One expectation: what holds, where that is documented, and whether the source confirms it literally."""

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
    """Returns all expectations as a Markdown table."""
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
