"""Whether the admission policy and its binding are as this stack writes them, and how they become so again. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.common.commands import kubectl_remove
from traceable_kong.verification.desired_state import Guard
from traceable_kong.verification.kong_checks import REPAIR
from traceable_kong.verification.object_reads import Seen, Unreadable
from traceable_kong.verification.report import Check
from traceable_kong.verification.surroundings import Surroundings

Operations = list[dict[str, str]]
"""Of a JSON patch."""

API_DEFAULTS = {"failurePolicy": "Fail", "matchPolicy": "Equivalent", "scope": "*"}
"""What the API server fills in of a policy and its binding, empty selectors aside
(https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/validating-admission-policy-v1/)."""


def policy_check(guard: Guard, seen: Surroundings) -> Check:
    """Both objects. What may not be read is not compared."""
    binding = {"policyName": guard.policy, "validationActions": list(guard.actions)}
    wrong, commands = [], []
    for what, kind, spec, live in (
        ("policy", "validatingadmissionpolicy", guard.spec, seen.policy),
        ("binding", "validatingadmissionpolicybinding", binding, seen.binding),
    ):
        differences = list(_differs(spec, live))
        wrong += [f"the {what} {text}" for text, _ in differences]
        # A field that another client added is not managed by this stack: server-side apply leaves it.
        if removals := [item for _, operations in differences for item in operations]:
            commands.append(kubectl_remove(kind, guard.policy, removals))
    return Check(
        pod="",
        name="policy",
        ok=not wrong,
        expected=f"the ValidatingAdmissionPolicy {guard.policy} and its binding ({', '.join(guard.actions)}), as this "
        "stack writes them",
        found="; ".join(wrong) or "these",
        mend=", ".join([*commands, f"then {REPAIR}"]) if commands else REPAIR,
        lasting=True,
    )


def _differs(spec: Mapping[str, Any], live: Seen) -> Iterator[tuple[str, Operations]]:
    """What is different, in words, and what removes it where it was added."""
    if live is None:
        yield "does not exist", []
    elif not isinstance(live, Unreadable):
        if "deletionTimestamp" in live["metadata"]:
            yield "is being deleted", []
        for path, operations in _differing(spec, live.get("spec") or {}, "spec", "/spec"):
            yield f"has another {path}", operations


def _differing(written: Any, live: Any, path: str, pointer: str) -> Iterator[tuple[str, Operations]]:
    """Where what is live is neither what was written nor what the API server fills in."""
    if isinstance(written, Mapping) and isinstance(live, Mapping):
        for key in sorted(written.keys() | live.keys()):
            inner = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            if key in written:
                yield from _differing(written[key], live.get(key), f"{path}.{key}", inner)
            elif not _filled_in(key, live[key]):
                yield f"{path}.{key}", [{"op": "remove", "path": inner}]
    elif _is_named(written) and _is_named(live):
        yield from _differing_by_name(written, live, path, pointer)
    elif isinstance(written, list | tuple) and isinstance(live, list) and len(written) == len(live):
        for index, (one, other) in enumerate(zip(written, live, strict=True)):
            yield from _differing(one, other, f"{path}[{index}]", f"{pointer}/{index}")
    elif written != live:
        yield path, []


def _is_named(items: Any) -> bool:
    """A list whose entries the API server tells apart by name (matchConditions, variables): each has its own owner."""
    return isinstance(items, list | tuple) and all(
        isinstance(item, Mapping) and isinstance(item.get("name"), str) for item in items
    )


def _differing_by_name(written: Any, live: Any, path: str, pointer: str) -> Iterator[tuple[str, Operations]]:
    places = {item["name"]: index for index, item in enumerate(live)}
    for item in written:
        name = item["name"]
        if name in places:
            index = places.pop(name)
            yield from _differing(item, live[index], f"{path}[{name}]", f"{pointer}/{index}")
        else:
            yield f"{path}[{name}]", []
    # From the end: each removal moves what is behind it. The test keeps a second paste from removing this stack's.
    for name, index in reversed(places.items()):
        place = f"{pointer}/{index}"
        yield (
            f"{path}[{name}]",
            [{"op": "test", "path": f"{place}/name", "value": name}, {"op": "remove", "path": place}],
        )


def _filled_in(key: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_filled_in(inner, item) for inner, item in value.items())
    return not value or value == API_DEFAULTS.get(key)
