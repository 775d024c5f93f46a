"""What keeps a pod from being ready, in words: scheduling, images, crashes, failed containers.

Facts: provider/pkg/await/checker/pod/check.go.
"""

from collections.abc import Mapping
from typing import Any

from local.provider import metadata
from local.provider.await_progress import conditions, get


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether a pod is ready, or has succeeded."""
    if get(pod, "status", "phase") == "Succeeded":
        return True
    return all(conditions(pod).get(each, {}).get("status") == "True" for each in ("Initialized", "Ready"))


def pod_problems(pod: Mapping[str, Any]) -> list[str]:
    """Why a pod is not ready; nothing where it is."""
    if is_ready(pod):
        return []
    found = []
    scheduled = conditions(pod).get("PodScheduled", {})
    if scheduled.get("status") == "False":
        found.append(_about(pod, "unscheduled", scheduled))
    for status in [
        *(get(pod, "status", "initContainerStatuses") or []),
        *(get(pod, "status", "containerStatuses") or []),
    ]:
        found += [f"[Pod {metadata.name(pod)}]: {text}" for text in _container_problems(status)]
    if not found:
        ready = conditions(pod).get("Ready", {})
        if ready.get("status") == "False":
            found.append(_about(pod, "containers with unready status", ready))
    return found


def _about(pod: Mapping[str, Any], what: str, condition: Mapping[str, Any]) -> str:
    message = condition.get("message") or ""
    return f"[Pod {metadata.name(pod)}]: {what}: {message}" if message else f"[Pod {metadata.name(pod)}]: {what}"


def _container_problems(status: Mapping[str, Any]) -> list[str]:
    if status.get("ready"):
        return []
    waiting, ended = get(status, "state", "waiting"), get(status, "state", "terminated")
    if waiting and waiting.get("reason") not in ("ContainerCreating", "PodInitializing", None):
        message = waiting.get("message") or ""
        return [f"containers with unready status: [{status.get('name')}] [{waiting['reason']}] {message}".rstrip()]
    if ended and ended.get("exitCode"):
        reason = ended.get("reason") or "Error"
        return [f'Container "{status.get("name")}" completed with exit code {ended["exitCode"]} ({reason})']
    return []
