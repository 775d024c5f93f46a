"""Field ownership in server-side apply: choosing a manager, adopting, ignoring, relinquishing and forcing fields.

Server-side apply (https://kubernetes.io/docs/reference/using-api/server-side-apply/) records which manager owns which
fields. Names and rules are those of the official plugin (provider/pkg/await/await.go, provider/pkg/ssa/actions.go).
"""

import copy
from collections.abc import Mapping
from typing import Any

from local.provider.kubernetes import checkpoint, object_metadata
from local.provider.kubernetes.api_client import APPLY, JSON_PATCH
from local.provider.kubernetes.diff import parse as parse_path
from local.provider.kubernetes.provider_context import Context

_OWN_UPDATE_MANAGERS = ("pulumi-kubernetes", "pulumi-kubernetes.exe", "pulumi-resource-kubernetes")
_ADOPTED = {
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    *((name, "Update") for name in _OWN_UPDATE_MANAGERS),
}


def field_manager(inputs: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """Returns the object's field manager: from the annotation, else from the state, else a new one."""
    wanted = object_metadata.annotation(inputs, object_metadata.PATCH_FIELD_MANAGER)
    known = state.get(checkpoint.FIELD_MANAGER)
    return (
        wanted
        or (known if isinstance(known, str) else "")
        or object_metadata.unique_name(object_metadata.FIELD_MANAGER_PREFIX)
    )


def relinquish(context: Context, live: Mapping[str, Any], manager: str) -> None:
    """Gives up all fields of a manager. Fields without another manager are removed. Raises ApiError."""
    kind = context.kinds.find(str(live.get("apiVersion")), str(live.get("kind")))
    identity: dict[str, Any] = {
        "apiVersion": live.get("apiVersion"),
        "kind": live.get("kind"),
        "metadata": {"name": object_metadata.name(live)},
    }
    if object_metadata.namespace(live):
        identity["metadata"]["namespace"] = object_metadata.namespace(live)
    path = kind.path(object_metadata.namespace(live), object_metadata.name(live))
    apply(context, path, identity, {"fieldManager": manager})


def apply(context: Context, path: str, body: Mapping[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """Sends a server-side apply. Raises ApiError."""
    return context.cluster.request("PATCH", path, query=query, body=body, content_type=APPLY)


def adopt_fields(context: Context, path: str, live: dict[str, Any], manager: str) -> dict[str, Any]:
    """Adopts the fields that a previous create or kubectl has set, so that applying them causes no conflict."""
    entries = object_metadata.metadata(live).get("managedFields") or []
    taken = [each for each in entries if _is_adopted(each)]
    if not taken:
        return live
    own = next((each for each in entries if each.get("manager") == manager and each.get("operation") == "Apply"), None)
    merged = copy.deepcopy(own) if own else {**copy.deepcopy(taken[0]), "manager": manager, "operation": "Apply"}
    for each in taken:
        merged["fieldsV1"] = _union(merged.get("fieldsV1") or {}, each.get("fieldsV1") or {})
    rest = [each for each in entries if each is not own and not _is_adopted(each)]
    patch = [
        {"op": "replace", "path": "/metadata/managedFields", "value": [merged, *rest]},
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": object_metadata.metadata(live).get("resourceVersion"),
        },
    ]
    return context.cluster.request("PATCH", path, body=patch, content_type=JSON_PATCH)


def _is_adopted(entry: Mapping[str, Any]) -> bool:
    return not entry.get("subresource") and (entry.get("manager"), entry.get("operation")) in _ADOPTED


def _union(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(one)
    for key, value in other.items():
        result[key] = _union(result[key], value) if key in result else value
    return result


def with_ignored(inputs: dict[str, Any], live: Mapping[str, Any], ignored: list[str], manager: str) -> dict[str, Any]:
    """Returns the inputs without ignored fields of other managers, and with the live value of other ignored fields."""
    if not ignored:
        return inputs
    body = copy.deepcopy(inputs)
    entries = object_metadata.metadata(live).get("managedFields") or []
    own = [each.get("fieldsV1") or {} for each in entries if each.get("manager") == manager]
    others = [each.get("fieldsV1") or {} for each in entries if each.get("manager") != manager]
    for path in ignored:
        steps = [str(step) for step in parse_path(path)]
        if any(_has(each, steps) for each in others) and not any(_has(each, steps) for each in own):
            _set(body, steps, None)
            continue
        value: Any = live
        for step in steps:
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is not None:
            _set(body, steps, copy.deepcopy(value))
    return body


def _has(fields: Mapping[str, Any], steps: list[str]) -> bool:
    found: Any = fields
    for step in steps:
        found = found.get(f"f:{step}") if isinstance(found, Mapping) else None
    return found is not None


def _set(body: dict[str, Any], steps: list[str], value: Any) -> None:
    place: Any = body
    for step in steps[:-1]:
        if value is None and step not in place:
            return
        place = place.setdefault(step, {})
        if not isinstance(place, dict):
            return
    if value is None:
        place.pop(steps[-1], None)
    else:
        place[steps[-1]] = value


def force(context: Context, inputs: Mapping[str, Any], live: Mapping[str, Any] | None, *, preview: bool) -> bool:
    """Returns True if fields of other managers are taken by force (`patchForce` in await.go)."""
    if object_metadata.is_true(inputs, object_metadata.PATCH_FORCE) or context.settings.enable_patch_force:
        return True
    if live is None:
        return preview
    entries = object_metadata.metadata(live).get("managedFields") or []
    if preview and any(
        each.get("operation") == "Update" and each.get("manager") in _OWN_UPDATE_MANAGERS for each in entries
    ):
        return True
    return not entries
