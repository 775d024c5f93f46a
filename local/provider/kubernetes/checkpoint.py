"""The state of an object as the engine records it: the live object, the inputs and the field manager.

The shape is that of the official plugin (`checkpointObject` in provider/pkg/provider/provider.go): the fields of the
live object, and beside them `__inputs`, `__initialApiVersion` and `__fieldManager`.
"""

import copy
from collections.abc import Mapping
from typing import Any

from local.provider.property_values import Secret, has_secret, mark_secrets, plain

INPUTS = "__inputs"
INITIAL_API_VERSION = "__initialApiVersion"
FIELD_MANAGER = "__fieldManager"

_DASHED = (
    *("embedded-resource", "int-or-string", "list-map-keys", "list-type", "map-type", "preserve-unknown-fields"),
    "validations",
)
_TO_DASHES = {"x_kubernetes_" + name.replace("-", "_"): "x-kubernetes-" + name for name in _DASHED}
_TO_UNDERSCORES = {dashed: underscored for underscored, dashed in _TO_DASHES.items()}


def document(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Converts properties to a Kubernetes object, without secret marks and with `x-kubernetes-*` in its original
    spelling.
    """
    result = _renamed(plain(properties), _TO_DASHES)
    assert isinstance(result, dict)
    return result


def make(
    inputs: Mapping[str, Any],
    live: Mapping[str, Any],
    given: Mapping[str, Any],
    *,
    initial_api_version: str,
    field_manager: str,
) -> dict[str, Any]:
    """Returns the state of an object. Values that are secret in `given` are secret in it."""
    state = mark_secrets(_underscored(live), given)
    state = _mark_string_data(state, live, given)
    state[INPUTS] = mark_secrets(_underscored(inputs), given)
    state[INITIAL_API_VERSION] = initial_api_version
    state[FIELD_MANAGER] = field_manager
    return state


def parse(state: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the old inputs and the old live object from a state."""
    live = document(state)
    inputs = live.pop(INPUTS, None)
    for name in (INITIAL_API_VERSION, FIELD_MANAGER):
        live.pop(name, None)
    return (inputs if isinstance(inputs, dict) else {}), live


def with_secrets(inputs: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns inputs for the engine in which values that are secret in `given` are secret."""
    return mark_secrets(_underscored(inputs), given)


def _underscored(value: Mapping[str, Any]) -> dict[str, Any]:
    result = _renamed(copy.deepcopy(dict(value)), _TO_UNDERSCORES)
    assert isinstance(result, dict)
    return result


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return value


def _mark_string_data(state: dict[str, Any], live: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    is_secret = live.get("apiVersion") == "v1" and live.get("kind") == "Secret"
    if is_secret and "data" in state and not isinstance(state["data"], Secret) and has_secret(given.get("stringData")):
        return {**state, "data": Secret(state["data"])}
    return state
