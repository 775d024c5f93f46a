"""Every hostile stack config ends in a config or in one readable message, within limits of time and memory.

`python -m tests.config.test_hostile_configs` tries every text at every key, and prints the figures.
"""

import json
import random
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.fakes.limited import Outcome, run_limited, summary
from traceable_kong.config import parser
from traceable_kong.config.config_layout import models_in, stack_file_fields
from traceable_kong.config.parser import ConfigError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")

SECONDS = 15.0
"""On a machine that is busy; the time of the processor has a limit of its own (`limited.py`)."""

LONGEST_MESSAGE = 4_000
KEYS_PER_TEXT = 10

GOOD: dict[str, Any] = {"agentTokenSecret": {"name": "token", "key": "token"}, "plugin": {"sha256": "ab" * 32}}
MIB = 1024 * 1024

TEXTS: dict[str, str] = {
    "one long word": "a" * MIB,
    "one long word with a dash at the end": "a" * MIB + "-",
    "digits": "9" * MIB,
    "digits with a sign": "-" + "9" * 5_000,
    "spaces": " " * MIB,
    "line breaks": "\n" * MIB,
    "dots": "a." * (MIB // 2),
    "slashes": "https://" + "a/" * (MIB // 2),
    "an address with many colons": "https://[" + ":" * MIB,
    "a half of a character": json.dumps("\ud800"),
    "control characters": json.dumps("\x1b[2J\x00\x07" * 1_000),
    "deep lists": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "an object that never ends": '{"a":' * 5_000,
    "many keys": json.dumps({f"key{number}": number for number in range(20_000)}),
    "many items": json.dumps(["a"] * 100_000),
    "a long key": json.dumps({"a" * MIB: 1}),
    "a huge number": "1" + "0" * 5_000,
    "a huge exponent": "1e999999999",
    "not a number": "NaN",
    "a list of infinities": "[Infinity, -Infinity]",
    "secure": json.dumps({"secure": "a" * MIB}),
}


def keys() -> list[tuple[str, ...]]:
    """The paths of all keys of a stack file, of every variant."""

    def below(path: tuple[str, ...], models: Iterable[Any]) -> Iterator[tuple[str, ...]]:
        yield path
        for model in models:
            for field in model.model_fields.values():
                yield from below((*path, str(field.alias)), models_in(field.annotation))

    found: dict[tuple[str, ...], None] = {}
    for key, fields in stack_file_fields().items():
        found.update(dict.fromkeys(below((key,), [model for field in fields for model in models_in(field.annotation)])))
    return list(found)


def document(path: tuple[str, ...], text: str) -> dict[str, str]:
    """A complete config with `text` at a key: as the whole value, or as the text of a part of it."""
    given = {key: dict(value) for key, value in GOOD.items()}
    if len(path) == 1:
        return {key: json.dumps(value) for key, value in given.items()} | {path[0]: text}
    parent = given.setdefault(path[0], {})
    for name in path[1:-1]:
        parent = parent.setdefault(name, {})
    try:
        parent[path[-1]] = json.loads(text)
    except (ValueError, RecursionError):
        parent[path[-1]] = text
    return {key: json.dumps(value) for key, value in given.items()}


def tried(name: str, path: tuple[str, ...]) -> Outcome:
    try:
        given = document(path, TEXTS[name])
    except RecursionError:
        given = {path[0]: TEXTS[name]}
    return run_limited(partial(parser.parse, given), ConfigError)


def sample(name: str) -> list[tuple[str, ...]]:
    """Different keys for each text, and the same in each run."""
    return random.Random(name).sample(keys(), KEYS_PER_TEXT)


def check(name: str, path: tuple[str, ...], outcome: Outcome) -> None:
    where = f"{name} at {'.'.join(path)}"
    assert outcome.kind in ("accepted", "refused"), f"{where}: {outcome.kind} {outcome.text}"
    assert outcome.seconds < SECONDS, where
    assert len(outcome.text) < LONGEST_MESSAGE, where
    assert all(line.isprintable() for line in outcome.text.splitlines()), where


@pytest.mark.parametrize("name", TEXTS)
def test_a_config_or_one_readable_message(name: str) -> None:
    for path in sample(name):
        check(name, path, tried(name, path))


if __name__ == "__main__":
    outcomes = []
    for name in TEXTS:
        for path in keys():
            outcomes.append(tried(name, path))
            try:
                check(name, path, outcomes[-1])
            except AssertionError as wrong:
                print(wrong)
    print(summary(outcomes))
