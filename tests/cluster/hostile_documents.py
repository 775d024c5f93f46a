"""Documents that an API server, or Kong, could send in place of the right ones, each by a seed."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

SEEDS = 150

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1e308, 10**18, 10**400, "", "x", "\ud800", "\x00\x1b[2J", "a" * 10_000),
    *([], [[]], [None], [1], ["x"], [{}], {}, {"": {}}, {"a": {"b": []}}, {"items": 1}),
)


def broken_json() -> dict[str, bytes]:
    return {
        "deep lists": b"[" * 200_000 + b"]" * 200_000,
        "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "lists within an object": b'{"kind": "List", "items": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "lists within lists": b'{"kind": "List", "metadata": {}, "items": [], "a": ' + b"[" * 600 + b"]" * 600 + b"}",
        "a number of 1,000,000 digits": b'{"a": ' + b"9" * 1_000_000 + b"}",
        "many empty lists": b"[" + b"[]," * 800_000 + b"[]]",
        "many empty objects": b'{"items": [' + b"{}," * 800_000 + b"{}]}",
        "not UTF-8": b'{"a": "\xff\xfe"}',
        "UTF-16": '{"a": 1}'.encode("utf-16"),
        "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
        "not a number": b"NaN",
        "two documents": b"{}{}",
        "cut off": b'{"kind": "PodList", "items": [{"metadata"',
        "a text": b'"log in"',
        "a name twice": b'{"kind": "PodList", "kind": 1, "items": []}',
        "zeros": b"\0" * 100_000,
    }


def changed(good: Any, chance: random.Random) -> Any:
    """A copy of a document, in which up to three values are odd ones or missing."""
    document = json.loads(json.dumps(good))
    for _ in range(chance.randint(1, 3)):
        places = list(_places(document))
        if not places:
            break
        parent, key = chance.choice(places)
        if chance.random() < 0.2:
            del parent[key]
        else:
            parent[key] = copy.deepcopy(chance.choice(ODD))
    return document


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, item in pairs:
        yield value, key
        yield from _places(item)


def changed_documents(good: Any) -> Iterator[tuple[str, Any]]:
    for seed in range(SEEDS):
        yield f"changed({seed})", changed(good, random.Random(seed))
