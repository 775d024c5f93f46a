"""Histories that a test writes itself: a gateway's objects and their events, one resourceVersion after the other."""

import copy
from datetime import UTC, datetime
from typing import Any

from tests.recorder.history import Event, EventType, History
from tests.recorder.promises import Gateway, Violation, rollouts, violations

GATEWAY = Gateway(
    namespace="kong", deployment="quickstart-kong", selector={"app": "quickstart-kong"}, ingress_class="kong"
)
TME_CONTAINER = {"name": "tme", "image": "docker.io/traceableai/traceable-agent:1.58.0@sha256:00"}
START = datetime(2026, 1, 1, tzinfo=UTC)


def pod(
    name: str,
    *,
    tme: bool = True,
    requests_tme: bool | None = None,
    files: str | None = "files-a",
    ready: bool = True,
    **spec: Any,
) -> dict[str, Any]:
    """A gateway pod; by default it requests the TME if it has one."""
    proxy: dict[str, Any] = {"name": "proxy", "image": "kong:3.9", "volumeMounts": []}
    volumes: list[dict[str, Any]] = []
    if files is not None:
        proxy["volumeMounts"].append({"name": "kong-plugin-traceable", "mountPath": "/opt/kong/plugins/traceable"})
        volumes.append({"name": "kong-plugin-traceable", "configMap": {"name": files}})
    return {
        "metadata": {
            "name": name,
            "namespace": GATEWAY.namespace,
            "labels": {"app": "quickstart-kong", "pod-template-hash": "1"},
            "annotations": {"tme.traceable.ai/inject": "true"}
            if (tme if requests_tme is None else requests_tme)
            else {},
        },
        "spec": {"containers": [proxy, *([TME_CONTAINER] if tme else [])], "volumes": volumes, **spec},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def config_map(name: str, namespace: str = GATEWAY.namespace) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}}


def plugin(
    mode: str | None = "sync", *, disabled: bool = False, name: str = "p", ingress_class: str = "kong"
) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "annotations": {"kubernetes.io/ingress.class": ingress_class}},
        "plugin": "traceable",
        "config": {"mode": mode} if mode else {},
        "disabled": disabled,
    }


def deployment(replicas: int = 1, strategy: dict[str, Any] | None = None, uid: str = "d") -> dict[str, Any]:
    return {
        "metadata": {"name": GATEWAY.deployment, "namespace": GATEWAY.namespace, "uid": uid},
        "spec": {"replicas": replicas, "strategy": strategy or {}},
    }


def replica_set(name: str, revision: int, owner: str = GATEWAY.deployment) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": GATEWAY.namespace,
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": [{"kind": "Deployment", "name": owner, "uid": "d"}],
        }
    }


KINDS = {"pod": "Pod", "configmap": "ConfigMap", "plugin": "KongClusterPlugin", "dep": "Deployment", "rs": "ReplicaSet"}


def _terminating(pod: dict[str, Any]) -> dict[str, Any]:
    return {**pod, "metadata": {**pod["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}


class Timeline:
    """A history to which each call adds one event."""

    def __init__(self) -> None:
        self.history = History()
        self._version = 100

    def start_recording(self) -> None:
        """What was added so far existed before the recording."""
        self.history.start = self._version

    def add(self, kind: str, *objects: dict[str, Any]) -> None:
        for item in objects:
            self._event(kind, "ADDED", item)

    def modify(self, kind: str, item: dict[str, Any]) -> None:
        self._event(kind, "MODIFIED", item)

    def delete(self, kind: str, item: dict[str, Any]) -> None:
        self._event(kind, "DELETED", item)

    def start_termination(self, item: dict[str, Any]) -> None:
        """A pod is terminating, and its condition Ready is still true."""
        self.modify("pod", _terminating(item))

    def terminate(self, item: dict[str, Any]) -> None:
        """A pod is terminating, and then deleted."""
        self.start_termination(item)
        self.delete("pod", _terminating(item))

    def replace(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """A new pod is ready before the old one terminates."""
        waiting = copy.deepcopy(new)
        waiting["status"]["conditions"] = []
        self.add("pod", waiting)
        self.modify("pod", new)
        self.terminate(old)

    def violations(self, gateway: Gateway = GATEWAY) -> list[Violation]:
        return violations(self.history, gateway)

    def broken(self, gateway: Gateway = GATEWAY) -> list[int]:
        """The number of the promise of each violation."""
        return [item.promise for item in self.violations(gateway)]

    def rollouts(self) -> int:
        return rollouts(self.history, GATEWAY)

    def _event(self, kind: str, event_type: EventType, item: dict[str, Any]) -> None:
        self._version += 1
        item = copy.deepcopy(item)
        item["metadata"]["resourceVersion"] = str(self._version)
        self.history.add(Event(time=START, kind=KINDS[kind], type=event_type, object=item))


def installed(replicas: int = 1, *, mode: str = "sync", strategy: dict[str, Any] | None = None) -> Timeline:
    """A gateway that serves before the recording starts: pods p-0, p-1, ... with files-a."""
    line = Timeline()
    line.add("configmap", config_map("files-a"))
    line.add("dep", deployment(replicas, strategy))
    line.add("rs", replica_set("rs-1", 1))
    line.add("pod", *(pod(f"p-{index}", tme=mode == "sync") for index in range(replicas)))
    line.add("plugin", plugin(mode))
    line.start_recording()
    return line
