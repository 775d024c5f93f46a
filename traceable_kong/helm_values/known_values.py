"""The top-level values of the Kong chart, and those that it would ignore without a word.

Source: values.yaml, README.md and templates of the kong chart 3.4.1 (https://github.com/Kong/charts). A newer chart may
have more, so a value that is not among them is judged by what the chart renders without it.
"""

import difflib
from collections.abc import Mapping
from typing import Any

KONG_VALUES = frozenset(
    {
        *("admin", "affinity", "autoscaling", "certificates", "cluster", "clusterCaSecretName", "clustertelemetry"),
        *("containerSecurityContext", "customEnv", "dblessConfig", "deployment", "deploymentAnnotations"),
        *("dnsConfig", "dnsPolicy", "enterprise", "env", "envFrom", "extraConfigMaps", "extraLabels"),
        *("extraObjects", "extraSecrets", "fullnameOverride", "global", "image", "ingressController"),
        *("initContainerResources", "lifecycle", "livenessProbe", "manager", "migrations", "nameOverride"),
        *("namespace", "nodeSelector", "plugins", "podAnnotations", "podDisruptionBudget", "podLabels"),
        *("podSecurityPolicy", "portal", "portalapi", "postgresql", "priorityClassName", "proxy", "readinessProbe"),
        *("replicaCount", "resources", "secretVolumes", "securityContext", "serviceMonitor", "startupProbe"),
        *("status", "terminationGracePeriodSeconds", "tolerations", "topologySpreadConstraints", "udpProxy"),
        *("updateStrategy", "waitImage"),
    }
)

_OF_OTHER_CHARTS = {
    "kong": "An umbrella chart has Kong's values below its dependency's name; here they are at the top: move what is "
    "below kongValues.kong one level up",
    "gateway": "The kong/ingress chart has the gateway's values below it; move what is below kongValues.gateway one "
    "level up",
    "controller": "The kong/ingress chart has the controller's values below it; move "
    "kongValues.controller.ingressController to kongValues.ingressController",
}


def unknown_values(values: Mapping[str, Any]) -> list[str]:
    """The top-level values of Kong's chart that are not in its documentation."""
    return sorted(key for key in values if key not in KONG_VALUES)


def suggestion(key: str) -> str:
    """What a value may have been meant to be, "" where nothing is close."""
    if key in _OF_OTHER_CHARTS:
        return _OF_OTHER_CHARTS[key]
    names = {name.lower(): name for name in KONG_VALUES}
    close = difflib.get_close_matches(key.lower()[:100], names, n=1)
    return f"Did you mean kongValues.{names[close[0]]}?" if close else ""
