"""Creates and updates objects, or previews that with a server-side dry run, and waits until they are ready.

A create is a plain POST, so that an existing object is an error; for patches and with `upsertExistingObjects` it is a
server-side apply. An update is a server-side apply, except for CRDs, which are replaced (`Creation` and `Update` in
provider/pkg/await/await.go).
"""

import copy
from collections.abc import Mapping
from typing import Any

from local.provider.kubernetes import api_discovery, awaiter, checkpoint, field_managers, object_metadata
from local.provider.kubernetes.api_client import ApiError
from local.provider.kubernetes.api_discovery import NoMatch
from local.provider.kubernetes.normalization import normalized
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import AwaitError, PartialError, ProviderError
from local.provider.property_values import has_unknown

RETRIES = 5
FIRST_RETRY_SECONDS = 1.0

_CONFLICT_HELP = (
    "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/"
    "#handle-field-conflicts-on-existing-resources"
)
_EXISTS_HELP = (
    "The resource already exists in the cluster. Rename it with an alias, use a Patch resource to manage some of its "
    "fields, adopt it with `pulumi import`, or set upsertExistingObjects on the provider."
)


def get(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the live object. Raises ApiError or NoMatch."""
    kind = context.kinds.find(str(document.get("apiVersion") or ""), str(document.get("kind") or ""))
    return context.cluster.request(
        "GET", kind.path(object_metadata.namespace(document), object_metadata.name(document))
    )


def create(
    context: Context, urn: str, given: Mapping[str, Any], *, preview: bool, timeout_seconds: float
) -> tuple[str, dict[str, Any]]:
    """Creates the object or previews that, and returns its id and state.

    Raises ProviderError if nothing was created, PartialError if the object was created and is not ready.
    """
    inputs = checkpoint.document(given)
    patch = api_discovery.is_patch(urn, str(inputs.get("kind") or ""))
    if preview and (patch or _cannot_preview(context, inputs)):
        return "", dict(given)
    manager = field_managers.field_manager(inputs, given)
    initial = str(inputs.get("apiVersion") or "")
    try:
        live = _create(context, urn, inputs, manager, patch=patch, preview=preview)
    except NoMatch as problem:
        raise ProviderError(
            f'creation of resource "{urn}" with kind {initial}/{inputs.get("kind")} failed because the Kubernetes API '
            "server reported that the apiVersion for this resource does not exist. Verify that any required CRDs have "
            f"been created: {problem}"
        ) from None
    except ApiError as problem:
        if preview and _falls_back(problem):
            return "", dict(given)
        raise ProviderError(
            f'resource "{urn}" was not successfully created by the Kubernetes API server: '
            f"{_explained(problem, manager)}"
        ) from None
    if preview:
        live.pop("status", None)
        return "", checkpoint.make(inputs, live, given, initial_api_version=initial, field_manager=manager)
    failure: AwaitError | None = None
    try:
        live = awaiter.wait_until_ready(
            context,
            urn,
            inputs,
            live,
            before=None,
            timeout_seconds=object_metadata.timeout_seconds(inputs, timeout_seconds),
        )
    except AwaitError as problem:
        failure, live = problem, dict(problem.live or live)
    if api_discovery.is_crd(inputs):
        context.kinds.forget()
    state = checkpoint.make(inputs, live, given, initial_api_version=initial, field_manager=manager)
    if failure is not None:
        raise PartialError(
            f'resource "{urn}" was successfully created, but the Kubernetes API server reported that it failed to '
            f"fully initialize or become live: {failure}",
            object_metadata.identifier(live),
            state,
            details=failure.details,
        )
    return object_metadata.identifier(live), state


def _create(
    context: Context, urn: str, inputs: dict[str, Any], manager: str, *, patch: bool, preview: bool
) -> dict[str, Any]:
    wait_seconds = FIRST_RETRY_SECONDS
    for attempt in range(RETRIES + 1):
        try:
            return _create_once(context, inputs, manager, patch=patch, preview=preview)
        except (ApiError, NoMatch) as problem:
            hopeless = isinstance(problem, ApiError) and (not problem.not_found or preview)
            if hopeless or attempt == RETRIES:
                raise
            context.log("status", urn, f"Retry #{attempt}; creation failed: {problem}")
            context.sleep(wait_seconds)
            wait_seconds *= 2
    raise AssertionError("a loop that always returns or raises")


def _create_once(
    context: Context, inputs: dict[str, Any], manager: str, *, patch: bool, preview: bool
) -> dict[str, Any]:
    kind = context.kinds.find(str(inputs.get("apiVersion") or ""), str(inputs.get("kind") or ""))
    dry_run = {"dryRun": "All"} if preview else {}
    namespace = object_metadata.namespace(inputs)
    if not (patch or context.settings.upsert_existing_objects):
        query = {"fieldManager": object_metadata.CREATE_FIELD_MANAGER, **dry_run}
        return context.cluster.request("POST", kind.path(namespace), query=query, body=inputs)
    query = {
        "fieldManager": manager,
        "force": str(field_managers.force(context, inputs, None, preview=preview)).lower(),
        "fieldValidation": "Warn",
        **dry_run,
    }
    try:
        return field_managers.apply(context, kind.path(namespace, object_metadata.name(inputs)), inputs, query)
    except ApiError as problem:
        if not (preview and problem.invalid and "field is immutable" in str(problem)):
            raise
        # In a dry run of a replacement, the old object still exists, so another name is used.
        renamed = copy.deepcopy(inputs)
        renamed["metadata"]["name"] = object_metadata.unique_name(object_metadata.name(inputs)[:50])
        return field_managers.apply(context, kind.path(namespace, object_metadata.name(renamed)), renamed, query)


def update(
    context: Context,
    urn: str,
    state: Mapping[str, Any],
    given: Mapping[str, Any],
    *,
    ignored: list[str],
    preview: bool,
    timeout_seconds: float,
) -> dict[str, Any]:
    """Updates the object or previews that, and returns its new state.

    Raises ProviderError if nothing was changed or nothing is known, PartialError if the object is not ready.
    """
    inputs = normalized(checkpoint.document(given))
    if preview and _cannot_preview(context, inputs):
        return dict(given)
    old_inputs, old_live = checkpoint.parse(state)
    initial = str(state.get(checkpoint.INITIAL_API_VERSION) or old_inputs.get("apiVersion") or "")
    manager = field_managers.field_manager(inputs, state)
    failure: AwaitError | ApiError | None = None
    try:
        live, before = _update(context, urn, inputs, old_live, manager, ignored=ignored, preview=preview)
        if not preview:
            seconds = object_metadata.timeout_seconds(inputs, timeout_seconds)
            live = awaiter.wait_until_ready(context, urn, inputs, live, before=before, timeout_seconds=seconds)
    except NoMatch as problem:
        raise ProviderError(
            f'update of resource "{urn}" failed because the Kubernetes API server reported that the apiVersion for '
            f"this resource does not exist. Verify that any required CRDs have been created: {problem}"
        ) from None
    except (AwaitError, ApiError) as problem:
        if preview and isinstance(problem, ApiError) and problem.forbidden:
            return dict(given)
        failure = problem
        live = _live_after(context, urn, old_live, problem, manager)
    state_after = checkpoint.make(inputs, live, given, initial_api_version=initial, field_manager=manager)
    if failure is not None:
        name = object_metadata.identifier(live)
        raise PartialError(
            f'the Kubernetes API server reported that "{name}" failed to fully initialize or become live: '
            f"{_explained(failure, manager)}",
            name,
            state_after,
            details=failure.details if isinstance(failure, AwaitError) else [],
        )
    if not preview:
        manager_before = field_managers.field_manager(old_inputs, state)
        if manager_before != manager:
            field_managers.relinquish(context, live, manager_before)
    return state_after


def _live_after(
    context: Context, urn: str, old_live: Mapping[str, Any], problem: Exception, manager: str
) -> dict[str, Any]:
    try:
        return get(context, old_live)
    except (ApiError, NoMatch) as unknown:
        raise ProviderError(
            f'update of resource "{urn}" failed: {_explained(problem, manager)}\nunable to get cluster state: {unknown}'
        ) from None


def _update(
    context: Context,
    urn: str,
    inputs: dict[str, Any],
    old_live: Mapping[str, Any],
    manager: str,
    *,
    ignored: list[str],
    preview: bool,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the object after the update and before it."""
    before = get(context, {**inputs, "metadata": old_live.get("metadata", {})})
    kind = context.kinds.find(str(inputs["apiVersion"]), str(inputs["kind"]))
    path = kind.path(object_metadata.namespace(inputs), object_metadata.name(before))
    query = {"fieldManager": manager, **({"dryRun": "All"} if preview else {})}
    if api_discovery.is_crd(inputs):
        body = copy.deepcopy(inputs)
        body["metadata"]["resourceVersion"] = object_metadata.metadata(before).get("resourceVersion")
        answer = context.cluster.request("PUT", path, query=query, body=body)
        context.kinds.forget()
        return answer, before
    current = before
    if not preview and not api_discovery.is_patch(urn, str(inputs.get("kind") or "")):
        current = field_managers.adopt_fields(context, path, before, manager)
    body = field_managers.with_ignored(inputs, current, ignored, manager)
    query["force"] = str(field_managers.force(context, inputs, current, preview=preview)).lower()
    return field_managers.apply(context, path, body, query), before


def _falls_back(problem: ApiError) -> bool:
    """Returns True if the preview continues although the dry run failed."""
    dry_run_off = problem.code == 400 and (
        "does not support dry run" in str(problem) or "the dryRun beta feature is disabled" in str(problem)
    )
    missing_namespace = problem.not_found and problem.details.get("kind") == "namespaces"
    return problem.forbidden or problem.already_exists or dry_run_off or missing_namespace


def _explained(problem: Exception, manager: str) -> str:
    if isinstance(problem, ApiError) and problem.already_exists:
        return f"{problem}\n\n{_EXISTS_HELP}"
    if isinstance(problem, ApiError) and problem.conflict:
        return (
            f"server-side apply field conflict detected, see {_CONFLICT_HELP} for troubleshooting help\n"
            f'The resource managed by field manager "{manager}" had an apply conflict: {problem}'
        )
    return str(problem)


def _cannot_preview(context: Context, inputs: Mapping[str, Any]) -> bool:
    if has_unknown(inputs) or context.unreachable:
        return True
    return not context.kinds.exists(str(inputs.get("apiVersion") or ""), str(inputs.get("kind") or ""))
