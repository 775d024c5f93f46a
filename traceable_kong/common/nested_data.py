"""Chart values and other nested data: merge, digest and secrets.

The data are dictionaries, lists, strings, numbers, booleans and None, as in YAML; a leaf that the stack file keeps
encrypted is a `pydantic.SecretStr`.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

Values = dict[str, Any]

DIGEST_LENGTH = 10


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Values:
    """`over` merged into `base` as Helm merges values files: maps are merged, everything else is replaced.

    Neither argument is changed (https://helm.sh/docs/chart_template_guide/values_files/).
    """
    result = dict(base)
    for key, value in over.items():
        current = result.get(key)
        if isinstance(current, Mapping) and isinstance(value, Mapping):
            result[key] = merged(current, value)
        else:
            result[key] = value
    return result


def digest(value: Any) -> str:
    """The first ten hexadecimal digits of the SHA-256 of `value`, whatever the order of its keys.

    All secret leaves count as the same text, because a digest is public and must not help to guess one.
    """
    text = json.dumps(value, sort_keys=True, default=lambda leaf: str(leaf))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def value_at(values: Any, path: str) -> Any:
    """The value at a path such as "admin.http"; None where there is none."""
    for key in path.split("."):
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def without(values: Mapping[str, Any], path: str) -> Values:
    """The values without the one at `path`; the argument is not changed."""
    key, _, rest = path.partition(".")
    if rest and isinstance(values.get(key), Mapping):
        return {**values, key: without(values[key], rest)}
    return {name: value for name, value in values.items() if rest or name != key}


def has_secrets(value: Any) -> bool:
    """True where `value` is or contains a secret leaf."""
    if isinstance(value, Mapping):
        return any(map(has_secrets, value.values()))
    if isinstance(value, list | tuple):
        return any(map(has_secrets, value))
    return isinstance(value, SecretStr)


def revealed(value: Any) -> Any:
    """The value with the text of each secret leaf, for a request to the API server."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [revealed(item) for item in value]
    return value
