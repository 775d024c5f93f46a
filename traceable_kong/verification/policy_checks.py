"""Checks whether the admission policy and its binding are what this stack writes. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.common.commands import kubectl_remove
from traceable_kong.plan.model import AdmissionPolicy
from traceable_kong.verification.fix_commands import REPAIR
from traceable_kong.verification.injection_objects import InjectionObjects
from traceable_kong.verification.object_reads import ObservedObject, Unreadable
from traceable_kong.verification.report import Check

Operations = list[dict[str, str]]
"""The operations of a JSON patch."""

API_DEFAULTS = {"failurePolicy": "Fail", "matchPolicy": "Equivalent", "scope": "*"}
"""What the API server fills in in a policy and its binding, apart from empty selectors
(https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/validating-admission-policy-v1/)."""


def policy_check(policy: AdmissionPolicy, objects: InjectionObjects) -> Check:
    """Compares both objects. One that may not be read does not fail."""
    actions = policy.validation_actions
    binding = {"policyName": policy.name, "validationActions": actions}
    problems, commands = [], []
    for what, kind, spec, found in (
        ("policy", "validatingadmissionpolicy", policy.spec, objects.policy),
        ("binding", "validatingadmissionpolicybinding", binding, objects.binding),
    ):
        differences = list(_object_differences(spec, found))
        problems += [f"the {what} {text}" for text, _ in differences]
        # A field that another client added is not managed by this stack: server-side apply leaves it.
        if removals := [item for _, operations in differences for item in operations]:
            commands.append(kubectl_remove(kind, policy.name, removals))
    return Check(
        pod="",
        name="policy",
        ok=not problems,
        expected=f"ValidatingAdmissionPolicy {policy.name} and its binding ({', '.join(actions)}) as this stack writes "
        "them",
        found="; ".join(problems) or "these",
        fix=", ".join([*commands, f"then {REPAIR}"]) if commands else REPAIR,
        permanent=True,
    )


def _object_differences(spec: Mapping[str, Any], found: ObservedObject) -> Iterator[tuple[str, Operations]]:
    """Each difference in words, with the operations that remove it if it was added."""
    if found is None:
        yield "does not exist", []
    elif not isinstance(found, Unreadable):
        if "deletionTimestamp" in found["metadata"]:
            yield "is being deleted", []
        for path, operations in _differences(spec, found.get("spec") or {}, "spec", "/spec"):
            yield f"has another {path}", operations


def _differences(written: Any, found: Any, path: str, pointer: str) -> Iterator[tuple[str, Operations]]:
    """Where a value is neither what this stack writes nor what the API server fills in."""
    if isinstance(written, Mapping) and isinstance(found, Mapping):
        for key in sorted(written.keys() | found.keys()):
            inner = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            if key in written:
                yield from _differences(written[key], found.get(key), f"{path}.{key}", inner)
            elif not _is_default(key, found[key]):
                yield f"{path}.{key}", [{"op": "remove", "path": inner}]
    elif _is_named(written) and _is_named(found):
        yield from _differences_by_name(written, found, path, pointer)
    elif isinstance(written, list | tuple) and isinstance(found, list) and len(written) == len(found):
        for index, (one, other) in enumerate(zip(written, found, strict=True)):
            yield from _differences(one, other, f"{path}[{index}]", f"{pointer}/{index}")
    elif written != found:
        yield path, []


def _is_named(items: Any) -> bool:
    """A list whose entries the API server merges by name (matchConditions, variables): each has its own owner."""
    return isinstance(items, list | tuple) and all(
        isinstance(item, Mapping) and isinstance(item.get("name"), str) for item in items
    )


def _differences_by_name(written: Any, found: Any, path: str, pointer: str) -> Iterator[tuple[str, Operations]]:
    indexes = {item["name"]: index for index, item in enumerate(found)}
    for item in written:
        name = item["name"]
        if name in indexes:
            index = indexes.pop(name)
            yield from _differences(item, found[index], f"{path}[{name}]", f"{pointer}/{index}")
        else:
            yield f"{path}[{name}]", []
    # From the end, because each removal moves the entries behind it. The test operation makes a second paste fail
    # instead of removing an entry of this stack.
    for name, index in reversed(indexes.items()):
        entry = f"{pointer}/{index}"
        yield (
            f"{path}[{name}]",
            [{"op": "test", "path": f"{entry}/name", "value": name}, {"op": "remove", "path": entry}],
        )


def _is_default(key: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_default(inner, item) for inner, item in value.items())
    return not value or value == API_DEFAULTS.get(key)
