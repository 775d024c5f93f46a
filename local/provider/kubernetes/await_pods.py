"""Why a pod is not ready, for the error of a failed wait.

Based on provider/pkg/await/checker/pod/check.go. As with the official plugin, a pod that cannot be scheduled is not
reported.
"""

from collections.abc import Mapping
from typing import Any

from local.provider.kubernetes import object_metadata
from local.provider.kubernetes.await_progress import conditions, get

_DAEMON_PREFIX = "rpc error: code = Unknown desc = Error response from daemon: "
_DAEMON_SUFFIX = ": manifest unknown"


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Returns True if a pod is scheduled, initialized and ready, or has succeeded."""
    if not all(_holds(pod, each) for each in ("PodScheduled", "Initialized")):
        return False
    return _holds(pod, "Ready") or ("Ready" in conditions(pod) and get(pod, "status", "phase") == "Succeeded")


def pod_problems(pod: Mapping[str, Any]) -> list[str]:
    """Returns the reasons why a pod is not ready. Empty if it is ready or no reason is known."""
    if is_ready(pod) or not _holds(pod, "PodScheduled"):
        return []
    stage = "Ready" if _holds(pod, "Initialized") else "Initialized"
    condition = conditions(pod).get(stage)
    if condition is None:
        return []
    errors = [
        error
        for status in get(pod, "status", "containerStatuses") or []
        if not status.get("ready")
        for error in _container_errors(status)
    ]
    message = condition.get("message") or ""
    if not errors and not message:
        return []
    shown = message if condition.get("reason") else ""
    return [f"[Pod {_qualified(pod)}]: {shown}" + "\n".join(errors)]


def _holds(pod: Mapping[str, Any], condition: str) -> bool:
    return conditions(pod).get(condition, {}).get("status") == "True"


def _qualified(pod: Mapping[str, Any]) -> str:
    namespace = object_metadata.namespace(pod)
    return object_metadata.name(pod) if namespace in ("", "default") else object_metadata.identifier(pod)


def _container_errors(status: Mapping[str, Any]) -> list[str]:
    errors = []
    waiting, ended = get(status, "state", "waiting"), get(status, "state", "terminated")
    before = get(status, "lastState", "terminated")
    if waiting and waiting.get("reason") != "ContainerCreating":
        errors.append(f"[{waiting.get('reason', '')}] {_trimmed(waiting.get('message') or '')}")
    if ended and ended.get("reason"):
        if ended.get("message"):
            errors.append(f"[{ended['reason']}] {_trimmed(ended['message'])}")
        else:
            errors.append(f'container "{status.get("name")}" completed with exit code {ended.get("exitCode", 0)}')
    if before:
        errors.append(
            f'container "{status.get("name")}" terminated at {before.get("finishedAt")} '
            f"({before.get('reason', '')}: exit code {before.get('exitCode', 0)})"
        )
        if before.get("message"):
            errors.append(str(before["message"]))
    return errors


def _trimmed(message: str) -> str:
    return message.removeprefix(_DAEMON_PREFIX).removesuffix(_DAEMON_SUFFIX)
