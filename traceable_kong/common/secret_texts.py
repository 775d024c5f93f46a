"""Keeps the texts of secret values out of what people read.

The program decides with secrets like with all other values, so a message can contain one. Whatever shows a message
passes it through `without_secrets()`. Pulumi's engine replaces the texts of encrypted config in what it prints, too
(pkg/engine/events.go, makeEventEmitter), but neither a part of a text that is encrypted as a whole nor in what this
program writes itself.
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from pydantic import SecretStr

from traceable_kong.common.commands import octal
from traceable_kong.common.nested_data import leaves
from traceable_kong.common.safe_text import printable

_SHORTEST_TEXT = 3
"""Shorter texts are not replaced, as in Pulumi's engine (sdk/go/common/util/logging): they are in most messages."""

_SHORTEST_NUMBER = 6
"""Ports and status codes are in many messages; a number that is a secret is longer."""

_SHORTEST_PART = 6
"""Of a list that is one text, such as `bundled,custom`, messages show single entries."""

_LONGEST_HEAD = 60
"""A long text may be cut off in a message, so its beginning counts as the whole."""


def secret_texts(config: Any) -> frozenset[str]:
    """The texts of all SecretStr in nested data.

    What is a plain value of the same data too is no secret: where only an object is known to hold one, all of its
    leaves are hidden, also `kong` and `LoadBalancer`.
    """
    secret: set[str] = set()
    plain: set[str] = set()
    for _, leaf in leaves(config):
        if isinstance(leaf, SecretStr):
            secret.update(_texts(leaf.get_secret_value()))
        else:
            plain.add(str(leaf))
    return frozenset(secret - plain)


def fix_without_secrets(fix: str, secrets: Collection[str]) -> str:
    """What to do, with VALUE in place of the secrets that its commands would set."""
    shown = without_secrets(fix, secrets, "VALUE")
    return fix if shown == fix else f"{shown} (with --secret)"


def without_secrets(text: str, secrets: Collection[str], placeholder: str = "(secret)") -> str:
    """The text with every secret replaced where it is not a part of a longer name."""
    forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
    if not forms:
        return text
    return re.sub(rf"(?<![-\w])(?:{'|'.join(forms)})(?![-\w])", placeholder, text)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= _SHORTEST_TEXT and value.lower() not in ("true", "false"):
            yield value
            yield from (part for part in re.split(r"[\s,;]+", value) if len(part) >= _SHORTEST_PART)
    elif len(str(value)) >= _SHORTEST_NUMBER:
        yield str(value)


def _forms(secret: str) -> Iterator[str]:
    """Patterns of a secret as messages show it: as it is, on one line, with escapes, and in a command."""
    written = {secret, printable(secret), repr(secret)[1:-1], json.dumps(secret)[1:-1]}
    written |= {word.replace("'", "'\"'\"'") for word in (secret, octal(secret))}
    for form in written:
        if len(form) > _LONGEST_HEAD:
            yield re.escape(form[:_LONGEST_HEAD]) + r"[^\s'\"`]*"
        else:
            yield re.escape(form)
