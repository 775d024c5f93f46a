"""Waits until an object is ready or deleted.

As in the official plugin (provider/pkg/await/), the conditions depend on the kind: see `await_deployment`,
`await_workloads`, `await_core` and `await_custom`. The official plugin watches an object and those that it owns; this
one watches the object, whose status follows that of the others, and observes all of them when it changes.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from local.provider.kubernetes import await_core, await_custom, await_deployment, await_workloads, object_metadata
from local.provider.kubernetes.api_client import ApiError
from local.provider.kubernetes.await_progress import Progress
from local.provider.kubernetes.object_watch import ObjectWatch
from local.provider.kubernetes.provider_context import Context
from local.provider.kubernetes.provider_errors import AwaitError, Cancelled

INTERVAL_SECONDS = 0.5
"""Observes again after this time, changed or not: endpoints can settle, and a claim can be bound."""

Observe = Callable[[], Progress]
Waiter = Callable[[Context, Mapping[str, Any], Mapping[str, Any] | None, bool], Observe]
"""(context, the applied object, the previous object or None after a create, whether it is observed only once, so that
nothing can settle) -> a function that observes the object."""

_WAITERS: Mapping[tuple[str, str], Waiter] = {
    ("apps/v1", "Deployment"): await_deployment.waiter,
    ("apps/v1", "StatefulSet"): await_workloads.stateful_set,
    ("apps/v1", "DaemonSet"): await_workloads.daemon_set,
    ("batch/v1", "Job"): await_workloads.job,
    ("v1", "Pod"): await_workloads.pod,
    ("v1", "Service"): await_core.service,
    ("v1", "PersistentVolume"): await_core.persistent_volume,
    ("v1", "PersistentVolumeClaim"): await_core.persistent_volume_claim,
    ("v1", "ReplicationController"): await_core.replication_controller,
    ("v1", "ResourceQuota"): await_core.resource_quota,
    ("v1", "Secret"): await_core.secret,
    ("networking.k8s.io/v1", "Ingress"): await_core.ingress,
}

_READ_WAITERS = {
    *(("apps/v1", kind) for kind in ("Deployment", "StatefulSet", "DaemonSet")),
    ("batch/v1", "Job"),
    ("v1", "Pod"),
    ("v1", "Service"),
    ("networking.k8s.io/v1", "Ingress"),
}

_SKIP_ON_DELETE = {
    *(("v1", kind) for kind in ("Namespace", "Pod", "ReplicationController")),
    *(("apps/v1", kind) for kind in ("DaemonSet", "Deployment", "StatefulSet")),
    ("batch/v1", "Job"),
}


def wait_until_ready(
    context: Context,
    urn: str,
    inputs: Mapping[str, Any],
    live: dict[str, Any],
    *,
    before: Mapping[str, Any] | None,
    timeout_seconds: float,
) -> dict[str, Any]:
    """Waits until the object is ready and returns its last version. Raises AwaitError."""
    if object_metadata.is_true(inputs, object_metadata.SKIP_AWAIT):
        return live
    if object_metadata.annotation(live, object_metadata.WAIT_FOR):
        observe = await_custom.waiter(context, live)
    else:
        waiter = _WAITERS.get(_kind(live))
        if waiter is None:
            return live
        observe = waiter(context, live, before, False)
    path = context.kinds.find(*_kind(live)).path(object_metadata.namespace(live), object_metadata.name(live))
    return _wait(context, urn, live, observe, path, timeout_seconds)


def _wait(
    context: Context, urn: str, live: Mapping[str, Any], observe: Observe, path: str, timeout_seconds: float
) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_seconds
    watch = ObjectWatch(context, path)
    shown = ""
    progress = Progress(live)
    while True:
        try:
            progress = observe()
        except ApiError as problem:
            if problem.code < 500 and not problem.not_found and problem.code != 429:
                raise AwaitError(str(problem), progress.live, progress.problems) from None
        if progress.done:
            context.log("status", urn, "")
            return dict(progress.live)
        if progress.failed:
            raise AwaitError(progress.failed, progress.live, progress.problems)
        if progress.message and progress.message != shown:
            shown = progress.message
            context.log("status", urn, shown)
        if time.monotonic() >= deadline:
            if progress.good_enough:
                return dict(progress.live)
            raise AwaitError(_timed_out(live, progress), progress.live, progress.problems)
        try:
            version = str(object_metadata.metadata(progress.live).get("resourceVersion") or "")
            watch.wait(version, min(INTERVAL_SECONDS, max(0.0, deadline - time.monotonic())))
        except Cancelled:
            raise AwaitError(
                f'Resource operation was cancelled for "{object_metadata.name(live)}"', progress.live, progress.problems
            ) from None


def _timed_out(live: Mapping[str, Any], progress: Progress) -> str:
    if progress.generic_timeout:
        return "timed out waiting for the condition"
    return f"'{object_metadata.name(live)}' timed out waiting to be Ready"


def require_ready(context: Context, urn: str, inputs: Mapping[str, Any], live: Mapping[str, Any]) -> None:
    """Checks once that an object is ready. Raises AwaitError."""
    if _kind(live) not in _READ_WAITERS or object_metadata.is_true(inputs, object_metadata.SKIP_AWAIT):
        return
    progress = _WAITERS[_kind(live)](context, live, live, True)()
    if not (progress.done or progress.good_enough):
        message = progress.failed or f"Resource '{object_metadata.name(live)}' was created but failed to initialize"
        raise AwaitError(message, live, progress.problems)


def wait_until_deleted(
    context: Context,
    urn: str,
    inputs: Mapping[str, Any],
    live: Mapping[str, Any],
    path: str,
    timeout_seconds: float,
) -> None:
    """Waits until the object at the path is deleted. Raises AwaitError."""
    if object_metadata.is_true(inputs, object_metadata.SKIP_AWAIT) and _kind(live) in _SKIP_ON_DELETE:
        return
    uid = object_metadata.metadata(live).get("uid")

    def observe() -> Progress:
        try:
            found = context.cluster.request("GET", path)
        except ApiError as problem:
            if problem.not_found:
                return Progress(live, done=True)
            raise
        if uid and object_metadata.metadata(found).get("uid") != uid:
            return Progress(found, done=True)
        return Progress(found, generic_timeout=True, message="waiting for it to be deleted")

    try:
        _wait(context, urn, live, observe, path, timeout_seconds)
    except AwaitError as problem:
        finalizers = object_metadata.metadata(problem.live or {}).get("finalizers") or []
        context.log("warning", urn, f"finalizers might be preventing deletion ({', '.join(finalizers)})")
        raise


def is_complete(job: Mapping[str, Any]) -> bool:
    """Returns True if a Job has completed."""
    return await_workloads.job_progress(job).done


def _kind(live: Mapping[str, Any]) -> tuple[str, str]:
    return str(live.get("apiVersion") or ""), str(live.get("kind") or "")
