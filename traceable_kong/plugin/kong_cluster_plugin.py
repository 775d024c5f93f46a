"""The KongClusterPlugin as this program writes it. Pure.

Its fields stand beside `metadata`
(https://developer.konghq.com/kubernetes-ingress-controller/reference/custom-resources/#kongclusterplugin).
"""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

API_VERSION = "configuration.konghq.com/v1"
KIND = "KongClusterPlugin"
INGRESS_CLASS = "kubernetes.io/ingress.class"


def plugin_object(
    *,
    naming: Mapping[str, str],
    plugin: str,
    ingress_class: str,
    everywhere: bool,
    enabled: bool,
    config: Mapping[str, Any],
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """The whole object. `naming` is `{"name": ...}` or `{"generateName": ...}`, `everywhere` True is every route."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            **naming,
            "labels": {**labels, **({"global": "true"} if everywhere else {})},
            "annotations": {INGRESS_CLASS: ingress_class},
        },
        "plugin": plugin,
        "config": config,
        "disabled": not enabled,
    }


def revealed(value: Any) -> Any:
    """`value` with the text of each secret leaf, as it goes to the API server and nowhere else."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [revealed(item) for item in value]
    return value
