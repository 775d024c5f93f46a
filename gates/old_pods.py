"""Waits until a gateway consists of pods of its newest revision only.

Helm's own wait ends earlier: it accepts as many missing pods as `maxUnavailable` allows, 25 % in the Kong chart, and
an old pod can still serve then. Knows no Pulumi. Leaves out when it is asked.
"""

import time

import kube
from gates.probe import Refused
from proof.asking import current_revision, is_leaving, is_ready, selector_text

INTERVAL_SECONDS = 0.25


def wait_until_gone(api: kube.Kube, *, namespace: str, deployment: str, timeout_seconds: float) -> None:
    """Returns when no pod of an older revision serves, and at least one of the newest does. Raises Refused."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        found = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")
        if found is None:
            raise Refused(f"There is no Deployment {namespace}/{deployment}: pulumi refresh, then pulumi up.")
        selector = selector_text(found["spec"]["selector"])
        current = current_revision(api, found)
        pods = [
            pod
            for pod in api.list(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
            if not is_leaving(pod)
        ]
        old = [pod for pod in pods if pod["metadata"].get("labels", {}).get("pod-template-hash") != current]
        settled = found.get("status", {}).get("observedGeneration") == found["metadata"].get("generation")
        if settled and not old and any(is_ready(pod) for pod in pods):
            return
        if time.monotonic() > deadline:
            names = ", ".join(sorted(pod["metadata"]["name"] for pod in old)) or "none of the newest is ready"
            raise Refused(
                f"The gateway {namespace}/{deployment} still has pods of an older revision after "
                f"{timeout_seconds:.0f} s ({names}), and the plugin would be configured for files or a TME that they "
                "lack. The plugin was not touched. kubectl rollout status shows what holds it up."
            )
        time.sleep(INTERVAL_SECONDS)
