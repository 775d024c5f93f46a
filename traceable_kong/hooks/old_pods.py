"""Waits until a gateway consists of pods of its newest revision only.

Helm's own wait ends earlier: it accepts as many missing pods as `maxUnavailable` allows, 25 % in the Kong chart, and
an old pod can still serve then.
"""

import time
from dataclasses import dataclass

from traceable_kong.cluster.kubernetes_client import Document, KubernetesClient
from traceable_kong.cluster.pods import is_leaving, is_ready, selector_text
from traceable_kong.hooks.injection_dry_run import HookFailed
from traceable_kong.verification.observation import current_revision

INTERVAL_SECONDS = 0.25

READY_SECONDS = 120.0
"""How long a gateway without older pods may have no ready pod: the step that rolled it has waited for that already."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A Deployment, and the pods of its newest revision that serve: there are no others that do, or will."""

    deployment: Document
    serving: list[Document]


def wait_until_gone(api: KubernetesClient, *, namespace: str, deployment: str, timeout_seconds: float) -> Settled:
    """Returns when no pod of an older revision is left, and at least one of the newest serves.

    Raises Refused, kube.ApiError or kube.Unreachable.
    """
    started = time.monotonic()
    since = started
    while True:
        gateway = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")
        if gateway is None:
            raise HookFailed(f"There is no Deployment {namespace}/{deployment}: pulumi refresh, then pulumi up.")
        selector = selector_text(gateway["spec"]["selector"])
        current = current_revision(api, gateway)
        pods = [
            pod
            for pod in api.list(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
            if not is_leaving(pod)
        ]
        old = [pod for pod in pods if pod["metadata"].get("labels", {}).get("pod-template-hash") != current]
        settled = gateway.get("status", {}).get("observedGeneration") == gateway["metadata"].get("generation")
        ready = [pod for pod in pods if is_ready(pod)]
        if settled and not old and ready:
            return Settled(deployment=gateway, serving=ready)
        if settled and gateway["spec"].get("replicas") == 0:
            raise HookFailed(
                f"The gateway {namespace}/{deployment} is scaled to zero: no pod of it could have the plugin, which "
                f"was not changed. `kubectl scale deployment {deployment} --namespace {namespace} --replicas 1`, then "
                "pulumi up."
            )
        now = time.monotonic()
        if old or not settled:
            since = now
        if now > min(started + timeout_seconds, since + READY_SECONDS):
            names = ", ".join(sorted(pod["metadata"]["name"] for pod in old))
            found = f"pods of an older revision ({names})" if old else "no ready pod of its newest revision"
            raise HookFailed(
                f"The gateway {namespace}/{deployment} has {found} after {now - started:.0f} s, and the plugin would "
                "be configured for files or a TME that are not there. Nothing about the plugin was changed. "
                f"`kubectl rollout status deployment {deployment} --namespace {namespace}` shows what holds it up."
            )
        time.sleep(INTERVAL_SECONDS)
