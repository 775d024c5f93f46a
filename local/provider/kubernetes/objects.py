"""Check, diff and delete of Kubernetes objects and of patches of existing objects.

Based on provider/pkg/provider/provider.go of the official plugin, version 4, in server-side apply mode. Create and
update are in `object_write`, read is in `object_read`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.provider.kubernetes import (
    api_discovery,
    awaiter,
    checkpoint,
    field_managers,
    force_new,
    object_metadata,
    object_write,
)
from local.provider.kubernetes.api_client import ApiError
from local.provider.kubernetes.api_discovery import NoMatch
from local.provider.kubernetes.diff import Change, Changes, compare, prune, without
from local.provider.kubernetes.normalization import normalized
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import AwaitError, PartialError, ProviderError

_REPLACE_UNREADY_PATH = '.metadata.annotations["pulumi.com/replaceUnready"]'


@dataclass(frozen=True)
class Difference:
    """The result of a diff: the changes by path, the paths that force a replacement, and its order."""

    changes: Changes
    replaces: list[str]
    delete_before_replace: bool
    has_changes: bool


def check(
    context: Context,
    urn: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    seed: bytes,
    proposed_name: str = "",
    naming_disabled: bool = False,
) -> dict[str, Any]:
    """Returns the normalized inputs with name and namespace. Raises ProviderError."""
    if api_discovery.is_list(urn):
        raise ProviderError(
            "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created "
            "directly. Use the underlying resource type instead"
        )
    old_inputs = checkpoint.document(old)
    inputs = normalized(checkpoint.document(new))
    if api_discovery.is_patch(urn, str(inputs.get("kind") or "")) and not object_metadata.is_named(inputs):
        raise ProviderError("patch resources require the `.metadata.name` field to be set")
    _warn(context, urn, inputs)
    if old_inputs:
        if not object_metadata.is_named(inputs) and object_metadata.is_true(old_inputs, object_metadata.AUTONAMED):
            object_metadata.set_autonamed(inputs, object_metadata.name(old_inputs))
    elif not object_metadata.is_named(inputs) and not object_metadata.generates_name(inputs):
        if naming_disabled:
            raise ProviderError("autonaming is disabled, resource requires the .metadata.name field to be set")
        chosen = proposed_name or object_metadata.unique_name(api_discovery.urn_name(urn) + "-", seed)
        object_metadata.set_autonamed(inputs, chosen)
    if object_metadata.generates_name(inputs):
        raise ProviderError("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
    _set_default_namespace(context, inputs)
    return checkpoint.with_secrets(inputs, new)


def _set_default_namespace(context: Context, inputs: dict[str, Any]) -> None:
    known = inputs.get("metadata")
    if not isinstance(known, dict) or known.get("namespace") or context.unreachable:
        return
    if "namespace" not in known or not known["namespace"]:
        api_version, kind = str(inputs.get("apiVersion") or ""), str(inputs.get("kind") or "")
        if context.kinds.namespaced(api_version, kind):
            known["namespace"] = context.default_namespace


def _warn(context: Context, urn: str, inputs: Mapping[str, Any]) -> None:
    annotations = object_metadata.metadata(inputs).get("annotations")
    for key, value in annotations.items() if isinstance(annotations, Mapping) else ():
        if key.startswith(object_metadata.AUTONAMED):
            context.log("warning", urn, f'ignoring user-specified value for internal annotation "{key}"')
        if (
            key.startswith(object_metadata.HELM_HOOK)
            and isinstance(value, str)
            and "test" in value
            and not context.settings.suppress_helm_hook_warnings
        ):
            context.log(
                "warning",
                urn,
                "This resource contains Helm hooks, which Pulumi does not run; it will be created as is.",
            )


def difference(
    context: Context, urn: str, state: Mapping[str, Any], new: Mapping[str, Any], ignored: Sequence[str]
) -> Difference:
    """Returns the changes that an update of the state's object to the new inputs would make."""
    old_inputs, live = checkpoint.parse(state)
    old_inputs, inputs = normalized(old_inputs), normalized(checkpoint.document(new))
    pruned = prune(live, old_inputs)
    _forget_unset(inputs, old_inputs, pruned)
    _align(context, inputs, pruned, live)
    patch = api_discovery.is_patch(urn, str(inputs.get("kind") or ""))
    fields = force_new.IDENTITY if patch else force_new.fields(inputs, context.settings)
    changes = without(compare(pruned, inputs, fields), ignored)
    replaces = [
        path
        for path, change in changes.items()
        if change.replace or (path == "metadata" and change.change is Change.DELETE)
    ]
    unready = _must_replace_unready(context, urn, inputs, live)
    if unready:
        replaces.append(_REPLACE_UNREADY_PATH)
    delete_first = (
        bool(replaces)
        and object_metadata.is_named(inputs)
        and not object_metadata.is_true(inputs, object_metadata.AUTONAMED)
        and object_metadata.name(inputs) == object_metadata.name(live)
        and object_metadata.namespace(inputs) == object_metadata.namespace(live)
    )
    return Difference(changes, replaces, delete_first, bool(changes) or unready)


def _align(context: Context, inputs: dict[str, Any], pruned: dict[str, Any], live: Mapping[str, Any]) -> None:
    """Makes name, namespace and kind of both sides comparable, because either may omit them."""
    api_version, kind = str(inputs.get("apiVersion") or ""), str(inputs.get("kind") or "")
    namespaced = True if context.unreachable else context.kinds.namespaced(api_version, kind)
    for side in (inputs, pruned):
        known = side.setdefault("metadata", {})
        if not isinstance(known, dict):
            continue
        if namespaced:
            known["namespace"] = known.get("namespace") or "default"
        else:
            known.pop("namespace", None)
    pruned.setdefault("apiVersion", api_version)
    pruned.setdefault("kind", kind)
    if object_metadata.name(inputs) and isinstance(pruned.get("metadata"), dict):
        pruned["metadata"]["name"] = object_metadata.name(live)


def _forget_unset(new: dict[str, Any], old: Mapping[str, Any], live: Mapping[str, Any]) -> None:
    """Removes zero values that were already applied and that the server does not return.

    The official plugin drops them by converting objects to Go types, where a zero value is the same as no value.
    """
    for key in list(new):
        value = new[key]
        if (key not in live and value in (None, "", 0, False)) or value in ({}, []):
            if key not in live and key in old and old[key] == value:
                del new[key]
        elif isinstance(value, dict):
            before, there = old.get(key), live.get(key)
            if isinstance(before, Mapping) and isinstance(there, Mapping):
                _forget_unset(value, before, there)
        elif isinstance(value, list):
            before, there = old.get(key), live.get(key)
            if isinstance(before, list) and isinstance(there, list):
                for item, one, other in zip(value, before, there, strict=False):
                    if isinstance(item, dict) and isinstance(one, Mapping) and isinstance(other, Mapping):
                        _forget_unset(item, one, other)


def _must_replace_unready(context: Context, urn: str, inputs: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    if not object_metadata.is_true(inputs, object_metadata.REPLACE_UNREADY):
        return False
    if context.unreachable:
        context.log("warning", urn, "Cluster is unreachable, skipping replaceUnready check")
        return False
    if inputs.get("kind") != "Job":
        context.log("warning", urn, "replaceUnready annotation is not supported for this resource")
        return False
    try:
        return not awaiter.is_complete(object_write.get(context, live))
    except (ApiError, NoMatch):
        return False


def delete(context: Context, urn: str, resource_id: str, state: Mapping[str, Any], timeout_seconds: float) -> None:
    """Deletes the object and waits until it is deleted. For a patch, it relinquishes the fields instead.

    Raises ProviderError, or PartialError if the deletion has started and does not end.
    """
    inputs, live = checkpoint.parse(state)
    _, name = object_metadata.parse_identifier(resource_id)
    manager = field_managers.field_manager(inputs, state)
    try:
        kind = context.kinds.find(str(live.get("apiVersion")), str(live.get("kind")))
    except NoMatch:
        return
    if api_discovery.is_patch(urn, str(live.get("kind") or "")):
        _relinquish(context, live, manager)
        return
    path = kind.path(object_metadata.namespace(live), name)
    try:
        context.cluster.request(
            "DELETE",
            path,
            body={
                "kind": "DeleteOptions",
                "apiVersion": "v1",
                "propagationPolicy": object_metadata.propagation(inputs),
            },
        )
    except ApiError as problem:
        if problem.not_found:
            return
        raise ProviderError(str(problem)) from None
    try:
        awaiter.wait_until_deleted(
            context, urn, inputs, live, path, object_metadata.timeout_seconds(inputs, timeout_seconds)
        )
    except AwaitError as problem:
        known = checkpoint.make(
            live,
            problem.live or live,
            state,
            initial_api_version=str(state.get(checkpoint.INITIAL_API_VERSION) or live.get("apiVersion") or ""),
            field_manager=manager,
        )
        raise PartialError(str(problem), resource_id, known, details=problem.details) from None


def _relinquish(context: Context, live: Mapping[str, Any], manager: str) -> None:
    try:
        field_managers.relinquish(context, live, manager)
    except ApiError as problem:
        if problem.invalid and "Required value" in str(problem):
            causes = problem.details.get("causes") or []
            field = next((each.get("field") for each in causes if each.get("reason") == "FieldValueRequired"), "")
            raise ProviderError(
                "this Patch resource is currently managing a required field, so it can't be deleted directly. Either "
                "set the `retainOnDelete` resource option, or transfer ownership of the field before deleting: "
                f"{field}"
            ) from None
        raise ProviderError(str(problem)) from None
