"""Computes a pod's status from its containers, as a kubelet does. No side effects.

Based on https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Status = dict[str, Any]


def pod_status(
    *,
    current: Mapping[str, Any],
    containers: Sequence[Status],
    init_containers: Sequence[Status],
    pod_ip: str,
    host_ip: str,
    now: str,
) -> Status:
    """Returns the fields to merge into `current`, the current status.

    `containers` and `init_containers` are the entries for the lists of container statuses. A condition that does not
    change keeps its transition time.
    """
    initialized = all(item["ready"] for item in init_containers)
    ready = initialized and all(item["ready"] for item in containers)
    codes = [item["state"].get("terminated", {}).get("exitCode") for item in containers]
    init_codes = [item["state"].get("terminated", {}).get("exitCode") for item in init_containers]
    succeeded = bool(codes) and all(code == 0 for code in codes)
    failed = (None not in codes and not succeeded) or any(init_codes)
    unready = [item["name"] for item in containers if not item["ready"]]
    started = initialized and any("running" in item["state"] or item["restartCount"] for item in containers)
    not_ready = (
        {}
        if ready
        else {"reason": "PodCompleted"}
        if succeeded
        else {"reason": "ContainersNotReady", "message": f"containers with unready status: {unready}"}
    )
    wanted = {
        "PodReadyToStartContainers": (True, {}),
        "Initialized": (initialized, {} if initialized else {"reason": "ContainersNotInitialized"}),
        "ContainersReady": (ready, not_ready),
        "Ready": (ready, not_ready),
    }
    known = {item["type"]: item for item in current.get("conditions", [])}
    conditions = [_condition(name, fine, more, known.get(name), now) for name, (fine, more) in wanted.items()]
    return {
        "phase": "Succeeded" if succeeded else "Failed" if failed else "Running" if started else "Pending",
        "conditions": [*(item for name, item in known.items() if name not in wanted), *conditions],
        "containerStatuses": list(containers),
        "initContainerStatuses": list(init_containers),
        "podIP": pod_ip,
        "podIPs": [{"ip": pod_ip}],
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "startTime": current.get("startTime") or now,
    }


def _condition(name: str, fine: bool, more: Mapping[str, str], known: Mapping[str, Any] | None, now: str) -> Status:
    status = "True" if fine else "False"
    since = known["lastTransitionTime"] if known and known.get("status") == status else now
    # Explicit nulls remove an old reason and message: the server merges conditions by their type.
    return {"type": name, "status": status, "lastTransitionTime": since, "reason": None, "message": None, **more}
