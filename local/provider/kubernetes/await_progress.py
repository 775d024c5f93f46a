"""The progress of an object towards readiness, as one observation shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Progress:
    """One observation of an object.

    `failed` is the reason why it will not become ready. `good_enough` means that it counts as ready at the deadline.
    `problems` are the reasons why it is not ready yet, `message` is shown meanwhile. `generic_timeout` selects the
    timeout message of the Kubernetes libraries.
    """

    live: Mapping[str, Any]
    done: bool = False
    failed: str = ""
    good_enough: bool = False
    generic_timeout: bool = False
    message: str = ""
    problems: Sequence[str] = field(default_factory=list)


def get(document: Mapping[str, Any] | None, *path: str) -> Any:
    """Returns the value at a path in an object, or None."""
    found: Any = document
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def conditions(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Returns an object's status conditions by type."""
    found = get(document, "status", "conditions")
    return {each.get("type", ""): each for each in found} if isinstance(found, list) else {}
