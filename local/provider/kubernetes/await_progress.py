"""How far an object is on its way to what it should be, as one look at the cluster shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Progress:
    """One look at an object.

    `failed` says that it will not come to be, `good_enough` that at the deadline this will do, `problems` what is in
    the way, `message` what to show meanwhile. `generic_timeout` asks for the words of the Kubernetes libraries.
    """

    live: Mapping[str, Any]
    done: bool = False
    failed: str = ""
    good_enough: bool = False
    generic_timeout: bool = False
    message: str = ""
    problems: Sequence[str] = field(default_factory=list)


def get(document: Mapping[str, Any] | None, *path: str) -> Any:
    """What stands at a path in an object, None where there is nothing."""
    found: Any = document
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def conditions(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """An object's status conditions by type."""
    found = get(document, "status", "conditions")
    return {each.get("type", ""): each for each in found} if isinstance(found, list) else {}
