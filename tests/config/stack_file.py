"""A stack file as the engine hands it over: `{key: text}`, objects as JSON, and which keys hold a secret."""

import json
from pathlib import Path
from typing import Any

import yaml

from traceable_kong.config import parser, stack_config
from traceable_kong.config.secret_values import secret_paths

PREFIX = f"{parser.NAMESPACE}:"


def parse_file(path: Path, **options: Any) -> stack_config.StackConfig:
    """The config of a stack file."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    given = {}
    hidden = {}
    for key, node in document["config"].items():
        name = key.removeprefix(PREFIX)
        given[name] = as_text(node)
        if '"secure"' in json.dumps(node):
            hidden[name] = given[name]
    paths = secret_paths(hidden, path, parser.NAMESPACE)
    return parser.parse(given, secret_paths=paths, **options)


def as_text(node: Any) -> str:
    """What the engine puts into PULUMI_CONFIG for a value: text as it is, everything else as JSON."""
    plain = decrypted(node)
    return plain if isinstance(plain, str) else json.dumps(plain)


def decrypted(node: Any) -> Any:
    if isinstance(node, dict):
        if set(node) == {"secure"}:
            return node["secure"]
        return {key: decrypted(item) for key, item in node.items()}
    return [decrypted(item) for item in node] if isinstance(node, list) else node
