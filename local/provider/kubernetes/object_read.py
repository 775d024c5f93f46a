"""Reads objects: for a refresh, an import or a `.get`.

Based on `Read` in provider/pkg/provider/provider.go of the official plugin.
"""

from collections.abc import Mapping
from typing import Any

from local.provider.kubernetes import api_discovery, awaiter, checkpoint, field_managers, object_metadata, object_write
from local.provider.kubernetes.api_client import ApiError
from local.provider.kubernetes.api_discovery import NoMatch
from local.provider.kubernetes.diff import prune
from local.provider.kubernetes.normalization import normalized
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import AwaitError, PartialError, ProviderError

_NEVER_INPUTS = ("status",)
_READ_ANNOTATIONS = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")


def read(
    context: Context, urn: str, resource_id: str, state: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Returns id, state and inputs of a live object. The id is empty if it does not exist.

    Raises PartialError if the object exists and is not ready.
    """
    namespace, name = object_metadata.parse_identifier(resource_id)
    if not name:
        raise ProviderError(
            "failed to read resource because of a failure to parse resource name from request ID: " + resource_id
        )
    _, old_live = checkpoint.parse(state)
    old_inputs = normalized(checkpoint.document(given))
    adopted = _identify(urn, old_inputs, old_live, namespace, name)
    manager = field_managers.field_manager(old_inputs, state)
    initial = str(state.get(checkpoint.INITIAL_API_VERSION) or old_inputs.get("apiVersion") or "")
    try:
        live = object_write.get(context, {**old_inputs, "metadata": {"name": name, "namespace": namespace}})
    except NoMatch:
        return "", {}, {}
    except ApiError as problem:
        if problem.not_found:
            return "", {}, {}
        raise ProviderError(str(problem)) from None
    failure: AwaitError | None = None
    if not adopted:
        try:
            awaiter.require_ready(context, urn, old_inputs, live)
        except AwaitError as problem:
            failure = problem
    live_inputs = prune(live, old_inputs)
    if adopted:
        live_inputs = _adopt(live, live_inputs)
    new_state = checkpoint.make(live_inputs, live, given, initial_api_version=initial, field_manager=manager)
    new_inputs = checkpoint.with_secrets(live_inputs, given)
    if failure is not None:
        raise PartialError(str(failure), resource_id, new_state, inputs=new_inputs, details=failure.details)
    return resource_id, new_state, new_inputs


def _identify(urn: str, inputs: dict[str, Any], old_live: Mapping[str, Any], namespace: str, name: str) -> bool:
    """Fills in the identity of an object that is read without inputs. Returns True if nothing was known about it."""
    if inputs.get("apiVersion") and inputs.get("kind"):
        return False
    adopted = not (old_live.get("apiVersion") and old_live.get("kind"))
    api_version, kind = api_discovery.from_token(api_discovery.urn_type(urn))
    if adopted:
        inputs["apiVersion"] = api_version
        inputs["kind"] = kind.removesuffix("Patch") if api_discovery.is_patch(urn, "") else kind
    else:
        inputs["apiVersion"], inputs["kind"] = old_live["apiVersion"], old_live["kind"]
    known = inputs.setdefault("metadata", {})
    known.setdefault("name", name)
    if namespace:
        known.setdefault("namespace", namespace)
    return adopted


def _adopt(live: Mapping[str, Any], pruned: dict[str, Any]) -> dict[str, Any]:
    """Returns the inputs of an imported object: all fields except those that only the server sets."""
    inputs = dict(pruned)
    if api_discovery.is_built_in(str(live.get("apiVersion", ""))):
        inputs |= {key: value for key, value in live.items() if key not in _NEVER_INPUTS}
    result = normalized(inputs)
    annotations = object_metadata.metadata(result).get("annotations")
    if isinstance(annotations, dict):
        for key in _READ_ANNOTATIONS:
            annotations.pop(key, None)
        if not annotations:
            del result["metadata"]["annotations"]
    return result
