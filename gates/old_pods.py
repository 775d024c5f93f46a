"""Waits until a gateway consists of pods of its newest revision only.

Helm's own wait ends earlier: it accepts as many missing pods as `maxUnavailable` allows, 25 % in the Kong chart, and
an old pod can still serve then. Knows no Pulumi. Leaves out when it is asked.
"""

import time

import kube
from gates.probe import Refused
from pods import is_leaving, is_ready, selector_text
from proof.asking import current_revision

INTERVAL_SECONDS = 0.25


def wait_until_gone(api: kube.Kube, *, namespace: str, deployment: str, timeout_seconds: float) -> None:
    """Returns when no pod of an older revision serves, and at least one of the newest does. Raises Refused."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        gateway = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")
        if gateway is None:
            raise Refused(f"There is no Deployment {namespace}/{deployment}: pulumi refresh, then pulumi up.")
        selector = selector_text(gateway["spec"]["selector"])
        current = current_revision(api, gateway)
        pods = [
            pod
            for pod in api.list(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
            if not is_leaving(pod)
        ]
        old = [pod for pod in pods if pod["metadata"].get("labels", {}).get("pod-template-hash") != current]
        settled = gateway.get("status", {}).get("observedGeneration") == gateway["metadata"].get("generation")
        if settled and not old and any(is_ready(pod) for pod in pods):
            return
        if time.monotonic() > deadline:
            names = ", ".join(sorted(pod["metadata"]["name"] for pod in old))
            found = f"pods of an older revision ({names})" if old else "no ready pod of its newest revision"
            raise Refused(
                f"The gateway {namespace}/{deployment} has {found} after {timeout_seconds:.0f} s, and the plugin would "
                "be configured for files or a TME that are not there. The plugin was not touched. "
                "kubectl rollout status shows what holds it up."
            )
        time.sleep(INTERVAL_SECONDS)
