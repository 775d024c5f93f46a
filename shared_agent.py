"""An agent in the cluster that this stack did not install: what its TMEs are given, read and never changed.

A running TME keeps what it was given at its injection, so the gateway rolls when that is another. Of an agent of ours
the chart values say it; of somebody else's, the ConfigMap that its injector reads. It also names the TME's image.
Whether the agent is there at all is preflight's question (preflight/agent.py), and so is what it means that the
ConfigMap may not be read.
"""

import pulumi

import kube
from cluster import Cluster
from commands import on_cluster
from preflight.agent import CONFIG_MAP
from settings import Settings

AGENT_CONFIG = "agentconfig.yaml"
"""The key of the ConfigMap that holds them (traceable-agent 1.58.0)."""


def sidecar_settings(settings: Settings, cluster: Cluster, *, preview: bool) -> dict[str, str]:
    """The agent's own settings from its ConfigMap; {} where there is none.

    Whatever the mode: the policy names the TME's image in async too, and a switch must not change it. An error while
    asking stops the run: other settings would be seen than there are, and in sync the gateway would roll. Somebody who
    may not read them goes on where nothing rolls: in a preview, and while no TME is wanted. Raises pulumi.RunError.
    """
    if settings.agent.install or settings.agent.url is not None or not settings.installed:
        return {}
    try:
        found = cluster.api.get(f"/api/v1/namespaces/{settings.agent.namespace}/configmaps/{CONFIG_MAP}")
    except (kube.ApiError, kube.Unreachable) as problem:
        rolls = not preview and settings.mode == "sync" and settings.enabled
        if not rolls and isinstance(problem, kube.ApiError) and problem.status == 403:
            return {}  # Preflight, which reads the same, says that it could not.
        raise pulumi.RunError(
            on_cluster(
                f"ConfigMap {settings.agent.namespace}/{CONFIG_MAP} could not be read: {problem}. Without the agent's "
                "settings the gateway could be rolled for nothing. Nothing was changed. Run the same again; `kubectl "
                f"auth can-i get configmaps --namespace {settings.agent.namespace}` says whether you may read it.",
                cluster.command_options,
            )
        ) from None
    return dict(found.get("data") or {}) if found else {}
