"""What `pulumi preview --json --show-sames` prints, from two runs of a program on the recording monitor."""

import json
from typing import Any

from tests.fakes.recording import Recording, Registration, Secret


def document(before: Recording, after: Recording) -> str:
    """The preview of `after` in a stack with what `before` registered. What changes is updated, not replaced."""
    steps = [_step(name, before, after) for name in dict.fromkeys([*_names(after), *_names(before)])]
    return json.dumps({"steps": steps}, default=_shown)


def _names(recording: Recording) -> list[str]:
    return [item.name for item in recording.registrations]


def _step(name: str, before: Recording, after: Recording) -> dict[str, Any]:
    old, new = (recording[name] if name in recording.names else None for recording in (before, after))
    if old is None or new is None:
        op = "create" if new else "delete"
    else:
        op = "same" if _comparable(old) == _comparable(new) else "update"
    pairs = (("oldState", before, old), ("newState", after, new))
    states = {which: _state(recording, item) for which, recording, item in pairs if item}
    if any(item and item.read for item in (old, new)):
        op = "read" if new else "discard"
    return {"op": op, "urn": _urn(after, new) if new else _urn(before, old), **states}


def _comparable(item: Registration) -> str:
    if item.type == "pulumi:index:Stash":  # It keeps what it has.
        return ""
    return json.dumps(item.inputs, sort_keys=True, default=repr)


def _state(recording: Recording, item: Registration) -> dict[str, Any]:
    parent = _urn(recording, recording[item.parent]) if item.parent else "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"
    custom = not item.type.startswith("traceable-kong:index:")
    return {"custom": custom, "type": item.type, "parent": parent, "inputs": item.inputs}


def _urn(recording: Recording, item: Registration | None) -> str:
    assert item is not None
    types, at = [item.type], item
    while at.parent:
        at = recording[at.parent]
        types.insert(0, at.type)
    return f"urn:pulumi:dev::p::{'$'.join(types)}::{item.name}"


def _shown(value: Any) -> str:
    return "[secret]" if isinstance(value, Secret) else repr(value)
