"""Waits until only pods of a gateway's newest revision are left.

Helm's own wait ends earlier: it accepts as many missing pods as `maxUnavailable` allows (25 % in the Kong chart), so an
old pod may still serve.
"""

from dataclasses import dataclass

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.kubernetes_client import Document, KubernetesClient
from traceable_kong.cluster.pods import is_ready, is_terminating, selector_text
from traceable_kong.common.waiting import NotYet, wait_until
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


def wait_until_gone(
    client: KubernetesClient, deployment: KongDeployment, *, timeout_seconds: float, known: Document | None = None
) -> RolledOut:
    """Returns when no old pod is left and at least one new pod serves. Raises HookFailed, ApiError or Unreachable.

    `known` is the Deployment if it was just read.
    """
    rolling_until = 0.0

    def attempt(waited: float) -> RolledOut | NotYet:
        nonlocal rolling_until, known
        gateway, known = known or client.get(deployment.path), None
        if gateway is None:
            raise missing_deployment(deployment)
        current = current_revision(client, gateway)
        pods = client.list(deployment.pods_path, labelSelector=selector_text(gateway["spec"]["selector"]))
        pods = [pod for pod in pods if not is_terminating(pod)]
        old = [pod for pod in pods if pod["metadata"].get("labels", {}).get("pod-template-hash") != current]
        observed = gateway.get("status", {}).get("observedGeneration") == gateway["metadata"].get("generation")
        ready = [pod for pod in pods if is_ready(pod)]
        if observed and not old and ready:
            return RolledOut(deployment=gateway, serving=ready)
        if observed and gateway["spec"].get("replicas") == 0:
            raise _scaled_to_zero(deployment)
        if old or not observed:
            rolling_until = waited
        elif waited > rolling_until + READY_SECONDS:
            raise _not_rolled_out(deployment, old, waited)
        return NotYet(lambda: _not_rolled_out(deployment, old, waited))

    return wait_until(attempt, seconds=timeout_seconds, interval_seconds=INTERVAL_SECONDS)


def _scaled_to_zero(deployment: KongDeployment) -> HookFailed:
    scale = f"kubectl scale deployment {deployment.name} --namespace {deployment.namespace} --replicas 1"
    return HookFailed(
        f"Deployment {deployment} is scaled to zero, so no pod could load the plugin. Nothing about the plugin was "
        f"changed. `{scale}`, then run `pulumi up`."
    )


def _not_rolled_out(deployment: KongDeployment, old: list[Document], waited: float) -> HookFailed:
    names = ", ".join(sorted(pod["metadata"]["name"] for pod in old))
    found = f"pods of an older revision ({names})" if old else "no ready pod of its newest revision"
    return HookFailed(
        f"Deployment {deployment} has {found} after {waited:.0f} s. The plugin would use files or a TME that these "
        "pods do not have. Nothing about the plugin was changed. See `kubectl describe deployment "
        f"{deployment.name} --namespace {deployment.namespace}`, then run `pulumi up`."
    )
