"""Names of objects that two components of one program would both create.

The cluster cannot show it before the first update: preflight finds what exists. Each of the two would then overwrite
or refuse what the other one creates.
"""

import asyncio
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from traceable_kong.common.safe_text import PlainError
from traceable_kong.plan.model import Plan
from traceable_kong.preflight.conflicts import owned_objects

_claimed: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, str]] = WeakKeyDictionary()
"""Of each run, which has an event loop of its own: the component that creates an object, by the object's name."""


class ClaimedName(PlainError):
    """Another component of the program creates an object of the same name."""


def claim(plan: Plan, component: str) -> None:
    """Notes what the component creates. Raises ClaimedName."""
    taken = _claimed.setdefault(asyncio.get_running_loop(), {})
    for subject, instead in _names(plan):
        other = taken.setdefault(subject, component)
        if other != component:
            raise ClaimedName(
                f"{component} and {other} would both create {subject}, and each would overwrite or refuse what the "
                f"other one creates. Nothing was changed. {instead}."
            )


def _names(plan: Plan) -> Iterator[tuple[str, str]]:
    """The name of everything that a plan creates, and how to choose another."""
    for release in plan.releases:
        other_name = " or kong.release" if release.key == "kong" else ""
        yield f"Helm release {release.namespace}/{release.name}", f"Set another {release.key}.namespace{other_name}"
    for item in owned_objects(plan):
        where = f" in namespace {item.namespace}" if item.namespace else ""
        yield f"{item.subject}{where}", item.instead
