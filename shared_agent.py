"""An agent in the cluster that this stack did not install: what its TMEs are given, read and never changed.

A running TME keeps what it was given at its injection, so the gateway rolls when that is another. Of an agent of ours
the chart values say it; of somebody else's, the ConfigMap that its injector reads. It also names the TME's image.
Whether the agent is there at all is preflight's question (preflight/agent.py), and so is what it means that the
ConfigMap may not be read.
"""

import kube
from cluster import Cluster
from preflight.agent import CONFIG_MAP
from settings import Settings

AGENT_CONFIG = "agentconfig.yaml"
"""The key of the ConfigMap that holds them (traceable-agent 1.58.0)."""


def sidecar_settings(settings: Settings, cluster: Cluster) -> dict[str, str]:
    """The agent's own settings as they stand in its ConfigMap; {} where there is none.

    Whatever the mode: the policy names the TME's image in async too, and a switch must not change it.
    """
    if settings.agent.install or settings.agent.url is not None or not settings.installed:
        return {}
    try:
        found = cluster.api.get(f"/api/v1/namespaces/{settings.agent.namespace}/configmaps/{CONFIG_MAP}")
    except (kube.ApiError, kube.Unreachable):
        return {}  # Preflight, which asks for the same, says so.
    return dict(found.get("data") or {}) if found else {}
