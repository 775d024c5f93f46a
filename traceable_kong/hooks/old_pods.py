"""Waits until only pods of a gateway's newest revision are left.

Helm's own wait ends earlier: it accepts as many missing pods as `maxUnavailable` allows (25 % in the Kong chart), so an
old pod may still serve.
"""

import time
from dataclasses import dataclass

from traceable_kong.cluster.kubernetes_client import Document, KubernetesClient
from traceable_kong.cluster.pods import is_ready, is_terminating, selector_text
from traceable_kong.hooks.hook_failed import HookFailed, missing_deployment
from traceable_kong.verification.observation import current_revision

INTERVAL_SECONDS = 0.25

READY_SECONDS = 120.0
"""How long a gateway without old pods may have no ready pod. The step that rolled it out has already waited for one."""


@dataclass(frozen=True, kw_only=True)
class RolledOut:
    """A Deployment whose pods are all of its newest revision, and those of them that serve."""

    deployment: Document
    serving: list[Document]


def wait_until_gone(api: KubernetesClient, *, namespace: str, deployment: str, timeout_seconds: float) -> RolledOut:
    """Returns when no old pod is left and at least one new pod serves. Raises HookFailed, ApiError or Unreachable."""
    started = time.monotonic()
    since = started
    while True:
        gateway = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")
        if gateway is None:
            raise missing_deployment(namespace, deployment)
        selector = selector_text(gateway["spec"]["selector"])
        current = current_revision(api, gateway)
        pods = [
            pod
            for pod in api.list(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
            if not is_terminating(pod)
        ]
        old = [pod for pod in pods if pod["metadata"].get("labels", {}).get("pod-template-hash") != current]
        settled = gateway.get("status", {}).get("observedGeneration") == gateway["metadata"].get("generation")
        ready = [pod for pod in pods if is_ready(pod)]
        if settled and not old and ready:
            return RolledOut(deployment=gateway, serving=ready)
        if settled and gateway["spec"].get("replicas") == 0:
            raise HookFailed(
                f"Deployment {namespace}/{deployment} is scaled to zero, so no pod could load the plugin. Nothing "
                f"about the plugin was changed. `kubectl scale deployment {deployment} --namespace {namespace} "
                "--replicas 1`, then run `pulumi up`."
            )
        now = time.monotonic()
        if old or not settled:
            since = now
        if now > min(started + timeout_seconds, since + READY_SECONDS):
            names = ", ".join(sorted(pod["metadata"]["name"] for pod in old))
            found = f"pods of an older revision ({names})" if old else "no ready pod of its newest revision"
            raise HookFailed(
                f"Deployment {namespace}/{deployment} has {found} after {now - started:.0f} s. The plugin would use "
                "files or a TME that these pods do not have. Nothing about the plugin was changed. See `kubectl "
                f"describe deployment {deployment} --namespace {namespace}`, then run `pulumi up`."
            )
        time.sleep(INTERVAL_SECONDS)
