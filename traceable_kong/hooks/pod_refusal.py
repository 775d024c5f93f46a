"""Why the API server refused the pod of the injection dry run, and whether a rollout would be refused too."""

from collections.abc import Mapping
from typing import Any

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.hooks.hook_failed import HookFailed

DEFAULT_UNAVAILABLE = "25%"
"""Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-unavailable."""

NO_SURGE = ("0", "0%")
"""The controller then stops a pod first, even where a percentage of maxUnavailable is less than one pod."""

DENIED = "denied the request"
"""What the API server writes before the reason of a webhook, which chooses the status itself."""

NO_DRY_RUN = "does not support dry run"

QUOTA_UNKNOWN = "status unknown for quota"
"""The controller has not counted for a new quota yet."""

JUDGED = (400, 403, 422)
"""With any other status, the API server has not judged the pod."""

_UNCHANGED = "The gateway was not changed, and its pods keep running."


def is_quota(problem: ApiError) -> bool:
    """True where a ResourceQuota is exhausted. Quotas are checked last, after every webhook and policy."""
    return problem.status == 403 and "exceeded quota" in str(problem)


def needs_surge(deployment: Mapping[str, Any]) -> bool:
    """True if a rollout starts a new pod before it stops an old one: only then must a quota have room for it."""
    spec = deployment["spec"]
    strategy = spec.get("strategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return False
    limits = strategy.get("rollingUpdate") or {}
    replicas = 1 if spec.get("replicas") is None else int(spec["replicas"])
    if replicas == 0 or str(limits.get("maxSurge")) in NO_SURGE:
        return False
    unavailable = str(limits.get("maxUnavailable", DEFAULT_UNAVAILABLE))
    number = unavailable.removesuffix("%")
    if not number.isdecimal():
        return True
    return replicas * int(number) < 100 if unavailable.endswith("%") else int(number) == 0


def refusal(deployment: KongDeployment, problem: ApiError) -> HookFailed:
    text = str(problem).rstrip(".")
    if is_quota(problem):
        return HookFailed(
            f"The API server refuses new pods of deployment {deployment}: {text}. A rollout starts a new pod before it "
            f"stops an old one, so it would fail. {_UNCHANGED} Raise the quota, or set the Deployment's maxUnavailable "
            "to 1; then run `pulumi up`."
        )
    denied = DENIED in text
    if problem.status == 404 and not denied:
        return HookFailed(
            f"Namespace {deployment.namespace} does not exist, so deployment {deployment} gets no pods: {text}. "
            f"The gateway was not changed. Run `pulumi up --refresh`."
        )
    if (problem.status == 401 and not denied) or 'cannot create resource "pods"' in text:
        return HookFailed(
            f"You may not create pods in namespace {deployment.namespace}, so what a new pod of deployment "
            f"{deployment} gets could not be checked: {text}. {_UNCHANGED} `kubectl auth can-i create pods --namespace "
            f"{deployment.namespace}` shows whether you may; docs/security.md has the Role."
        )
    if "failed calling webhook" in text:
        return HookFailed(
            f"An admission webhook for new pods of deployment {deployment} does not answer: {text}. No new pod starts "
            f"until it does, so a rollout would be blocked. {_UNCHANGED} Repair the webhook, then run `pulumi up`."
        )
    if NO_DRY_RUN in text:
        return HookFailed(
            f"What a new pod of deployment {deployment} gets could not be checked, because a webhook does not allow "
            f"it: {text}. {_UNCHANGED} Set sideEffects of the webhook to None or NoneOnDryRun, whichever is true, then "
            "run `pulumi up`."
        )
    if not denied and (problem.status not in JUDGED or QUOTA_UNKNOWN in text):
        status = f" (HTTP {problem.status})" if problem.status else ""
        return HookFailed(
            f"What a new pod of deployment {deployment} gets could not be checked, because the API server was not able "
            f"to answer{status}: {text}. {_UNCHANGED} Run `pulumi up` again."
        )
    return HookFailed(
        f"The API server refuses new pods of deployment {deployment}: {text}. A rollout would fail. {_UNCHANGED} Fix "
        "the cause, then run `pulumi up`."
    )
