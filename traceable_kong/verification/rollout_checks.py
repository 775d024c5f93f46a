"""Checks of the gateway as a whole: its Deployment exists and serves, no old pod is left, the agent is available."""

import shlex
from collections.abc import Mapping
from typing import Any

from traceable_kong.cluster.pods import is_ready, is_terminating, selector_text
from traceable_kong.plan.model import DesiredState
from traceable_kong.verification.fix_commands import restore_gateway
from traceable_kong.verification.observation import Observation
from traceable_kong.verification.report import Check


def missing_deployment(desired: DesiredState) -> Check:
    return Check(
        pod="",
        name="deployment",
        ok=False,
        expected=f"deployment {desired.deployment}",
        found="it does not exist",
        fix=restore_gateway(desired),
    )


def serving_check(desired: DesiredState, deployment: Mapping[str, Any], observed: Observation) -> Check:
    """At least one pod is ready; otherwise, why pods are not created or their containers do not run."""
    selector = shlex.quote(selector_text(deployment["spec"].get("selector") or {}))
    wanted = deployment["spec"].get("replicas", 1)
    reasons = [*_replica_failures(deployment), *(reason for pod in observed.pods for reason in waiting_reasons(pod))]
    found = f"{len(observed.serving)} of {wanted}" + (f" ({'; '.join(dict.fromkeys(reasons))})" if reasons else "")
    return Check(
        pod="",
        name="ready",
        ok=bool(observed.serving),
        expected="at least one pod that serves",
        found=found,
        fix=f"`kubectl describe pods --namespace {desired.deployment.namespace} --selector {selector}` shows why they "
        "are not ready; a gateway that is scaled to zero protects nothing",
    )


def _replica_failures(deployment: Mapping[str, Any]) -> list[str]:
    conditions = deployment.get("status", {}).get("conditions") or []
    return [str(item.get("message")) for item in conditions if item["type"] == "ReplicaFailure"]


def waiting_reasons(pod: Mapping[str, Any], *, restarts: int = 0) -> list[str]:
    """Why containers of a pod do not run, as the kubelet reports it: `pod: container: reason: message`.

    With the exit code of a container that ended before, and its reason where that says more, such as OOMKilled.
    Without a container in CrashLoopBackOff that was restarted fewer than `restarts` times.
    """
    status = pod.get("status", {})
    result = []
    for item in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = (item.get("state") or {}).get("waiting") or {}
        if state.get("reason") == "CrashLoopBackOff" and item.get("restartCount", 0) < restarts:
            continue
        if state.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            reason = ": ".join(str(state[key]) for key in ("reason", "message") if state.get(key))
            result.append(f"{pod['metadata']['name']}: {item['name']}: {reason}{_last_exit(item)}")
    return result


def _last_exit(container_status: Mapping[str, Any]) -> str:
    ended = (container_status.get("lastState") or {}).get("terminated") or {}
    if "exitCode" not in ended:
        return ""
    reason = ended.get("reason")
    return (
        f" (last exit code: {ended['exitCode']}{f', {reason}' if reason not in (None, 'Error', 'Completed') else ''})"
    )


def rollout_check(desired: DesiredState, observed: Observation) -> Check:
    """No pod of an older ReplicaSet is left, ready or not: it has older files and an older configuration."""
    old = [
        pod["metadata"]["name"]
        for pod in observed.pods
        if not is_terminating(pod) and pod["metadata"].get("labels", {}).get("pod-template-hash") != observed.current
    ]
    return Check(
        pod="",
        name="rollout",
        ok=not old,
        expected="only pods of the newest revision",
        found=f"also {', '.join(sorted(old))}" if old else "only those",
        fix=f"`kubectl rollout status deployment {desired.deployment.name} --namespace {desired.deployment.namespace}` "
        "shows what blocks the rollout",
    )


def agent_check(desired: DesiredState, observed: Observation) -> Check:
    """In sync the agent has a ready pod; in async each ready pod answers, because Kong reports to it."""
    ready = sum(1 for pod in observed.agent_pods if is_ready(pod))
    if desired.injection:
        found = f"{ready} of {len(observed.agent_pods)} ready" if observed.agent_pods else "the agent has no pods"
        wanted, ok = "a ready pod of the agent", ready > 0
    else:
        wanted, found = "an agent that answers on port 5442", observed.agent_problem or "it answers"
        ok = observed.agent_problem is None
    return Check(
        pod="",
        name="agent",
        ok=ok,
        expected=f"{wanted}, in namespace {desired.agent_namespace}",
        found=found,
        fix=f"`kubectl --namespace {desired.agent_namespace} describe pods` shows why it is not available",
    )
