"""Documents of another party, in JSON or YAML: what is too deep or too large for the program is refused."""

import json
from collections.abc import Iterable
from typing import Any

import yaml

MAX_DEPTH = 200
"""Functions that call themselves for each level end with an error at several hundred. A CRD has about fifty levels."""

_DEEP = "it is nested too deep"

MAX_VALUES = 50_000
"""Of a YAML document. A short text can repeat a part of itself any number of times (aliases and merges)."""


class UnreadableDocument(ValueError):
    """What another party wrote and the program does not read; the text says why, without anything of it."""


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Called for each map, and again for each merge (`<<`) of it."""
        super().flatten_mapping(node)
        self._merged += len(node.value)
        if self._merged > MAX_VALUES:
            raise UnreadableDocument("it has too many values, or repeats too many of them")


# A date is text, as in Kubernetes (https://github.com/kubernetes-sigs/yaml).
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def yaml_document(text: str) -> Any:
    """A document of JSON's types. Raises UnreadableDocument, another ValueError, or YAMLError."""
    loader = _Loader(text)
    try:
        document = loader.get_single_data()
    except RecursionError:
        raise UnreadableDocument(_DEEP) from None
    finally:
        loader.dispose()
    count, unseen = 0, [document]
    while unseen:
        value = unseen.pop()
        # The keys can have any type, too.
        parts = [*_parts(value), *(value if isinstance(value, dict) else ())]
        count += 1 + len(parts)
        if count > MAX_VALUES:
            raise UnreadableDocument("it has too many values, or repeats too many of them")
        if not isinstance(value, dict | list | str | int | float | None):
            raise UnreadableDocument("it has a value that JSON does not have")
        unseen += parts
    return document


def json_document(text: str | bytes) -> Any:
    """Raises UnreadableDocument for JSON, another ValueError for anything else."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise UnreadableDocument(_DEEP) from None
    except MemoryError:
        raise UnreadableDocument("it is too large") from None
    level = [document] if type(document) in (dict, list) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return document
        # In one expression: a response can have a million values.
        level = [
            part
            for value in level
            for part in (value.values() if type(value) is dict else value)
            if type(part) is dict or type(part) is list
        ]
    raise UnreadableDocument(_DEEP)


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
