"""Chart values and other nested data: merge, digest and secrets.

The data are dictionaries, lists, strings, numbers, booleans and None, as in YAML. A secret leaf is a
`pydantic.SecretStr` in the config, and where values are registered or recorded. What decides or computes reads
`revealed()` values: a SecretStr has neither the type nor the text of its value.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from pydantic import SecretStr

Values = dict[str, Any]

Path = tuple[str | int, ...]
"""The path of a leaf: `("env", "password")`, `("plugins", "configMaps", 0, "name")`."""

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

    A digest helps to guess what it is made of: `value` must not contain secrets.
    """
    return hashlib.sha256(_canonical(value)).hexdigest()[:DIGEST_LENGTH]


def keyed_digest(value: Any, key: str) -> str:
    """As `digest()` (HMAC-SHA-256, RFC 2104), for a `value` that may contain secrets.

    Guesses cannot be tested without the key, so a digest with a secret key may be public. It depends on every leaf,
    secret or not, and not on which leaves are known to be secret: the same values have the same digest, whatever way
    they came.
    """
    return hmac.new(key.encode(), _canonical(value), hashlib.sha256).hexdigest()[:DIGEST_LENGTH]


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


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


def hidden(value: Any, is_secret: Callable[[Path], bool], path: Path = ()) -> Any:
    """`value`, which is at `path`, with its secret leaves as SecretStr; None is never one."""
    if isinstance(value, Mapping):
        return {key: hidden(item, is_secret, (*path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [hidden(item, is_secret, (*path, index)) for index, item in enumerate(value)]
    # A number or a boolean keeps its type: for a chart, its text is something else.
    return SecretStr(cast(str, value)) if value is not None and is_secret(path) else value


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything in `value` that is neither a map nor a list, with its path."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def secret_leaves(value: Any) -> frozenset[Path]:
    """The paths of the leaves of `value` that are SecretStr."""
    return frozenset(path for path, leaf in leaves(value) if isinstance(leaf, SecretStr))


def revealed(value: Any) -> Any:
    """The value with the text of each secret leaf, to decide and to compute with it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [revealed(item) for item in value]
    return value
