"""Readiness of StatefulSets, DaemonSets, Jobs and Pods.

Based on provider/pkg/await/{statefulset,daemonset,job,pod}.go of the official plugin, including its error messages.
"""

from collections.abc import Callable, Mapping
from typing import Any

from local.provider.kubernetes import object_metadata
from local.provider.kubernetes.await_deployment import owned_by
from local.provider.kubernetes.await_pods import is_ready, pod_problems
from local.provider.kubernetes.await_progress import Progress, conditions, get
from local.provider.kubernetes.provider_context import Context


def _asking(
    context: Context, applied: Mapping[str, Any], assess: Callable[[dict[str, Any]], Progress]
) -> Callable[[], Progress]:
    kind = context.kinds.find(str(applied["apiVersion"]), str(applied["kind"]))
    path = kind.path(object_metadata.namespace(applied), object_metadata.name(applied))
    return lambda: assess(context.cluster.request("GET", path))


def _problems_of_pods(context: Context, owner: Mapping[str, Any]) -> list[str]:
    pods = context.kinds.find("v1", "Pod").path(object_metadata.namespace(owner))
    items = context.cluster.request("GET", pods).get("items") or []
    return [problem for each in items if owned_by(each, owner) for problem in pod_problems(each)]


def stateful_set(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """Ready when all replicas are ready and have the newest revision. With `OnDelete`, all ready is enough."""

    def assess(live: dict[str, Any]) -> Progress:
        status = live.get("status") or {}
        generation = object_metadata.metadata(live).get("generation") or 0
        wanted = get(live, "spec", "replicas")
        wanted = 1 if wanted is None else wanted
        ready, current = status.get("readyReplicas", 0), status.get("currentReplicas", 0)
        counted = wanted == status.get("replicas", 0) and wanted == ready
        revision, target = status.get("currentRevision", ""), status.get("updateRevision", "")
        if generation > 1 and get(live, "spec", "updateStrategy", "type") == "OnDelete":
            replicas_ready, revision_ready = counted, True
        else:
            replicas_ready, revision_ready = counted and wanted == current, bool(revision) and revision == target
        if (status.get("observedGeneration") or 0) < generation:
            return Progress(live, message="Waiting for the StatefulSet controller")
        if replicas_ready and revision_ready:
            return Progress(live, done=True)
        shown = ready if revision_ready else min(ready, status.get("updatedReplicas", 0))
        problems = [] if replicas_ready else [f"{shown} out of {wanted} replicas succeeded readiness checks"]
        if not revision_ready:
            problems.append(f'StatefulSet controller failed to advance from revision "{revision}" to "{target}"')
        problems += _problems_of_pods(context, live)
        return Progress(live, message=f"Waiting for StatefulSet ({shown}/{wanted} Pods ready)", problems=problems)

    return _asking(context, applied, assess)


def daemon_set(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """Ready when every selected node has a ready and available pod of the newest template."""

    def assess(live: dict[str, Any]) -> Progress:
        status = live.get("status") or {}
        wanted = status.get("desiredNumberScheduled", 0)
        seen = (status.get("observedGeneration") or 0) >= (object_metadata.metadata(live).get("generation") or 0)
        counts = [
            status.get(name, 0)
            for name in ("currentNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady")
        ]
        if seen and "desiredNumberScheduled" in status and all(count >= wanted for count in counts):
            return Progress(live, done=True)
        message = f"Available: {status.get('numberAvailable', 0)}/{wanted}"
        return Progress(live, message=message, problems=_problems_of_pods(context, live), generic_timeout=True)

    return _asking(context, applied, assess)


def job(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """Ready when the Job is complete. A failed Job ends the wait at once."""

    def assess(live: dict[str, Any]) -> Progress:
        progress = job_progress(live)
        if progress.done or progress.failed:
            return progress
        problems = _problems_of_pods(context, live)
        return Progress(live, message=progress.message, problems=problems)

    return _asking(context, applied, assess)


def job_progress(live: Mapping[str, Any]) -> Progress:
    """Returns a Job's progress from its status."""
    status = get(live, "status") or {}
    failed = conditions(live).get("Failed", {})
    if failed.get("status") == "True" and failed.get("reason") in ("BackoffLimitExceeded", "DeadlineExceeded"):
        problem = f"[{failed['reason']}] {failed.get('message', '')}"
        message = f"Resource '{object_metadata.name(live)}' was created but failed to initialize"
        return Progress(live, failed=message, problems=[problem])
    done = bool(status.get("startTime")) and conditions(live).get("Complete", {}).get("status") == "True"
    counts = f"(Active: {status.get('active', 0)} | Succeeded: {status.get('succeeded', 0)}"
    counts += f" | Failed: {status.get('failed', 0)})"
    return Progress(
        live, done=done, message=f'Waiting for Job "{object_metadata.identifier(live)}" to succeed {counts}'
    )


def pod(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """Ready when the Pod is scheduled, initialized and ready, or has succeeded."""

    def assess(live: dict[str, Any]) -> Progress:
        return Progress(live, done=is_ready(live), message="Waiting for the Pod", problems=pod_problems(live))

    return _asking(context, applied, assess)
