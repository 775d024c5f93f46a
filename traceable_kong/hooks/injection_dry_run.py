"""The injection dry run: what would happen to a gateway pod that is created now.

The pod is made from the Deployment's own template and created with `dryRun=All`: webhooks, policies and quotas run, and
nothing is stored (https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run).
"""

import copy
import shlex
from collections.abc import Mapping
from typing import Any

from traceable_kong.cluster.agent_objects import injector_webhook
from traceable_kong.cluster.api_objects import MUTATING_WEBHOOKS, pods
from traceable_kong.cluster.kubernetes_client import ApiError, ApiResponse, Document, KubernetesClient
from traceable_kong.cluster.pods import is_ready, is_terminating
from traceable_kong.cluster.tme import requests_tme, running_containers, tme_containers
from traceable_kong.common.image_references import ImageReferenceError, parse_image
from traceable_kong.common.waiting import NotYet, wait_until
from traceable_kong.hooks.hook_failed import HookFailed, missing_deployment
from traceable_kong.hooks.pod_refusal import is_quota, needs_surge, refusal
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.model import AdmissionPolicy, Gateway, Plan
from traceable_kong.verification.observation import newest_replica_set

IN_FORCE_SECONDS = 10.0
"""How long the API server may take to act on a new policy or namespace label: its informers lag behind by moments, and
one call to a webhook may be slow."""

INTERVAL_SECONDS = 0.25


def require_policy_enforced(client: KubernetesClient, gateway: Gateway) -> None:
    """Waits until the API server refuses (or warns about) a pod that requests the TME and does not get it.

    Only works while the namespace does not have the injector's label yet. Raises HookFailed.
    """
    policy = gateway.policy
    if policy is None:
        return

    def attempt(_: float) -> NotYet | None:
        return None if _is_enforced(client, gateway, policy) else NotYet(lambda: _not_enforced(policy))

    wait_until(attempt, seconds=IN_FORCE_SECONDS, interval_seconds=INTERVAL_SECONDS)


def _is_enforced(client: KubernetesClient, gateway: Gateway, policy: AdmissionPolicy) -> bool:
    try:
        answer = _create_pod(client, gateway)
    except ApiError as problem:
        if policy.name in " ".join((str(problem), *problem.warnings)):
            return True
        _require_no_refusal(client, gateway, problem)
        return False
    warned = any(policy.name in warning for warning in answer.warnings)
    # Another injector may add the TME already: then there is nothing to refuse. With `deny`, a warning comes from the
    # binding as it was before this update.
    return _has_tme(answer, gateway) or (warned and policy.action == "warn")


def _not_enforced(policy: AdmissionPolicy) -> HookFailed:
    return HookFailed(
        f"Admission policy {policy.name} is not in force after {IN_FORCE_SECONDS:.0f} s, so a gateway pod could start "
        "without the TME. The gateway was not changed. `kubectl describe validatingadmissionpolicy "
        f"{policy.name}` shows what is wrong with the policy. If it shows nothing, the API server runs without the "
        "admission plugin ValidatingAdmissionPolicy: `pulumi config set traceable-kong:tmeGuard off`, then `pulumi up`."
    )


def require_injection(client: KubernetesClient, plan: Plan, gateway: Gateway) -> None:
    """Waits until a new gateway pod gets the TME. Raises HookFailed."""

    def attempt(_: float) -> NotYet | None:
        try:
            if _has_tme(_create_pod(client, gateway), gateway):
                return None
        except ApiError as problem:
            # The policy of an earlier update is in force until the end of this one, also if none is wanted any more.
            if plan.policy_name not in str(problem):
                if problem.is_temporary:
                    last = problem
                    return NotYet(lambda: refusal(gateway.kong.deployment, last))
                # A quota hides the pod. If none must be free for a rollout, the verification looks at the new pods.
                _require_no_refusal(client, gateway, problem)
                return None
        return NotYet(lambda: _not_injected(client, plan, gateway))

    wait_until(attempt, seconds=IN_FORCE_SECONDS, interval_seconds=INTERVAL_SECONDS)


def require_injection_where_requested(client: KubernetesClient, plan: Plan, gateway: Gateway) -> None:
    """`require_injection`, if the Deployment's pods request the TME. Raises HookFailed."""
    template = _template(client, gateway)
    if template and requests_tme(template["metadata"]):
        require_injection(client, plan, gateway)


def _template(client: KubernetesClient, gateway: Gateway) -> dict[str, Any] | None:
    found = client.get(gateway.kong.deployment.path)
    return found["spec"]["template"] if found else None


def _create_pod(client: KubernetesClient, gateway: Gateway, *, labeled: bool = True) -> ApiResponse:
    """The pod as the API server would store it. Without labels it is no gateway pod to the admission policy."""
    deployment = gateway.kong.deployment
    found = client.get(deployment.path)
    if found is None:
        raise missing_deployment(deployment)
    template = found["spec"]["template"]
    own = template["metadata"]
    labels, owners = _of_replica_set(client, found)
    metadata = {
        "generateName": f"{owners[0]['name'] if owners else deployment.name}-probe-",
        "labels": {**(own.get("labels") or {}), **labels} if labeled else {},
        "annotations": {**(own.get("annotations") or {}), **gateway.injection.annotations},
        "ownerReferences": owners,
    }
    return client.request(
        "POST",
        deployment.pods_path,
        query={"dryRun": "All"},
        body={"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": copy.deepcopy(template["spec"])},
    )


def _of_replica_set(client: KubernetesClient, deployment: Mapping[str, Any]) -> tuple[dict[str, str], list[Document]]:
    """The label and the owner that the pod gets from its ReplicaSet: policies treat a pod without one differently.

    The owner does not block its deletion: that would need a permission for finalizers
    (https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#ownerreferencespermissionenforcement).
    """
    replica_set = newest_replica_set(client, deployment)
    if replica_set is None:
        return {}, []
    metadata = replica_set["metadata"]
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": metadata["name"], "uid": metadata["uid"]}
    return {"pod-template-hash": metadata["labels"]["pod-template-hash"]}, [{**owner, "controller": True}]


def _has_tme(pod: Mapping[str, Any], gateway: Gateway) -> bool:
    return bool(tme_containers(pod["spec"], gateway.injection.image))


def _require_no_refusal(client: KubernetesClient, gateway: Gateway, problem: ApiError) -> None:
    """Raises HookFailed, unless the problem is a quota, and a rollout needs no room in it."""
    if is_quota(problem):
        found = client.get(gateway.kong.deployment.path)
        if found is not None and not needs_surge(found):
            return
    raise refusal(gateway.kong.deployment, problem) from None


def _not_injected(client: KubernetesClient, plan: Plan, gateway: Gateway) -> HookFailed:
    added = _added_images(client, gateway)
    namespace = plan.agent_namespace
    reason = _other_image(plan, added) if added else _injector_state(client, namespace)
    look = f"Check the agent: `kubectl --namespace {namespace} get pods`; then run" if namespace else "Run"
    return HookFailed(
        f"New pods of deployment {gateway.kong.deployment} would not get the TME (a container with the image "
        f"{gateway.injection.image}): {reason}. The gateway was not changed, and its pods keep running. {look} `pulumi "
        "up`."
    )


def _added_images(client: KubernetesClient, gateway: Gateway) -> list[str]:
    """The images of the containers that a new pod gets beside those of its template."""
    try:
        pod = _create_pod(client, gateway, labeled=False)
    except ApiError:
        return []
    template = _template(client, gateway) or {"spec": {}}
    own = {item["name"] for item in running_containers(template["spec"])}
    return [str(item["image"]) for item in running_containers(pod["spec"]) if item["name"] not in own]


def _other_image(plan: Plan, added: list[str]) -> str:
    images = ", ".join(added)
    if isinstance(plan.agent, ManagedAgent):
        fix = "set its registry in traceable-kong:agentValues (imageCredentials.registry and .registrySuffix)"
    else:
        fix = f"`pulumi config set --path traceable-kong:agent.tmeImage {shlex.quote(_unversioned(added[0]))}`"
    return f"instead they would get {images}. If that is the TME, {fix}; if not, another injector adds it"


def _injector_state(client: KubernetesClient, namespace: str | None) -> str:
    """What can be seen of an injector that fails open: its webhook, and the agent's pods behind it."""
    if namespace is None:
        return "the agent of this stack is outside the cluster, and has no injector here"
    name = injector_webhook(namespace)
    webhook = client.get(f"{MUTATING_WEBHOOKS}/{name}")
    if webhook is None:
        return f"the injector's webhook {name} does not exist"
    found = [item for item in client.list(pods(namespace)) if not is_terminating(item)]
    ready = sum(map(is_ready, found))
    if ready == 0:
        return f"the agent has no ready pod in namespace {namespace} ({len(found)} not ready)"
    return f"the injector's webhook {name} did not answer, or answered without it ({ready} ready agent pods)"


def _unversioned(image: str) -> str:
    """An image as `agent.tmeImage` takes it: without its version, which may change with the agent's."""
    try:
        found = parse_image(image)
    except ImageReferenceError:
        return image
    return f"{found.registry}/{found.repository}"
