"""The KongClusterPlugin resource. Its fields are at the top level, next to `metadata`
(https://developer.konghq.com/kubernetes-ingress-controller/reference/custom-resources/#kongclusterplugin).
"""

from collections.abc import Mapping
from typing import Any

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
    """The whole object. `naming` is `{"name": ...}` or `{"generateName": ...}`; `everywhere` True means all routes."""
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
