"""The promises that hold for a gateway while the program changes it, checked after every event of a recording.

1. A gateway pod that requests the TME (`tme.traceable.ai/inject`) never starts without it.
2. The plugin's mode is never `sync` while a serving gateway pod lacks the TME.
3. The plugin never exists while a serving gateway pod lacks its files.
4. A pod that is not terminating never refers to a ConfigMap that does not exist.
7. The number of ready gateway pods never falls below the number that the Deployment's strategy allows.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.recorder import pods
from tests.recorder.history import History, World
from tests.recorder.pods import Object

INJECT = "tme.traceable.ai/inject"
INGRESS_CLASS = "kubernetes.io/ingress.class"
REVISION = "deployment.kubernetes.io/revision"
TME_IMAGE = "docker.io/traceableai/traceable-agent"


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """The gateway that is checked.

    `selector` is that of its Deployment; `container` runs Kong; `tme_image` is the TME image without its version;
    `plugin` is the plugin's name in Kong; `policy_denies` says whether an admission policy refuses pods without TME.
    """

    namespace: str
    deployment: str
    selector: Mapping[str, str]
    ingress_class: str
    container: str = "proxy"
    tme_image: str = TME_IMAGE
    plugin: str = "traceable"
    policy_denies: bool = True

    def pods(self, world: World) -> list[Object]:
        return [
            pod
            for (namespace, _), pod in sorted(world.all("Pod").items())
            if namespace == self.namespace and self.selector.items() <= pod["metadata"].get("labels", {}).items()
        ]

    def plugins(self, world: World) -> list[Object]:
        return [
            item
            for _, item in sorted(world.all("KongClusterPlugin").items())
            if item["plugin"] == self.plugin
            and item["metadata"].get("annotations", {}).get(INGRESS_CLASS) == self.ingress_class
        ]


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A broken promise: which one, when (None: before the recording began), and how."""

    promise: int
    text: str
    time: datetime | None
    resource_version: int

    def __str__(self) -> str:
        when = f"{self.time:%H:%M:%S.%f}" if self.time else "from the start"
        return f"promise {self.promise}, {when}, resourceVersion {self.resource_version}: {self.text}"


def violations(history: History, gateway: Gateway) -> list[Violation]:
    """Every violation, once each time that it begins."""
    minimum = ReadyPods()
    ongoing: set[tuple[int, str]] = set()
    found: list[Violation] = []
    for event, world in history.replay():
        broken = set(_broken(world, gateway)) | set(minimum.broken(world, gateway))
        found += [
            Violation(
                promise=promise,
                text=text if event is None else f"{text} (after {event.kind} {event.name[1]} {event.type})",
                time=event.time if event else None,
                resource_version=event.resource_version if event else history.start,
            )
            for promise, text in sorted(broken - ongoing)
        ]
        ongoing = broken
    return found


def rollouts(history: History, gateway: Gateway) -> int:
    """How often the gateway's pod template changed.

    Counted by the revisions of its ReplicaSets: an earlier template reuses its old ReplicaSet, with a new revision.
    """
    before: set[tuple[str, str]] = set()
    after: set[tuple[str, str]] = set()
    for event in history.events:
        if event.kind == "ReplicaSet" and event.name[0] == gateway.namespace and event.type != "DELETED":
            metadata = event.object["metadata"]
            for owner in metadata.get("ownerReferences", []):
                if owner["kind"] == "Deployment" and owner["name"] == gateway.deployment:
                    revision = (owner["uid"], metadata.get("annotations", {}).get(REVISION, ""))
                    (before if event.resource_version <= history.start else after).add(revision)
    return len(after - before)


def _broken(world: World, gateway: Gateway) -> Iterator[tuple[int, str]]:
    """Number and text of each of the promises 1 to 4 that is broken at one moment."""
    gateway_pods = gateway.pods(world)
    for pod in gateway_pods:
        requests_tme = pod["metadata"].get("annotations", {}).get(INJECT, "false") != "false"
        has_tme = pods.runs_image(pod, gateway.tme_image)
        if gateway.policy_denies and requests_tme and not has_tme and not pods.terminating(pod):
            yield 1, f"pod {_name(pod)} requests the TME and started without it"
    for plugin in gateway.plugins(world):
        # `sync` is the plugin's default.
        mode = plugin.get("config", {}).get("mode", "sync")
        for pod in gateway_pods:
            if not pods.serving(pod):
                continue
            if mode == "sync" and not plugin.get("disabled") and not pods.runs_image(pod, gateway.tme_image):
                yield 2, f"plugin {_name(plugin)} has mode sync, and the serving pod {_name(pod)} has no TME"
            path = f"/opt/kong/plugins/{gateway.plugin}"
            if not pods.mounted_config_map(pod, container=gateway.container, path=path):
                yield 3, f"plugin {_name(plugin)} exists, and the serving pod {_name(pod)} does not mount its files"
    for (namespace, _), pod in world.all("Pod").items():
        if not pods.terminating(pod) and not pods.finished(pod):
            for name in pods.config_maps(pod):
                if (namespace, name) not in world.all("ConfigMap"):
                    yield 4, f"pod {_name(pod)} refers to ConfigMap {name}, which does not exist"


class ReadyPods:
    """Promise 7: the number of pods that must be ready by the Deployment's strategy.

    It counts from the moment when all replicas were ready. A larger number of replicas counts once they were ready, a
    smaller one at once.
    """

    def __init__(self) -> None:
        self._settled = 0

    def broken(self, world: World, gateway: Gateway) -> Iterator[tuple[int, str]]:
        deployment = world.all("Deployment").get((gateway.namespace, gateway.deployment))
        if deployment is None or "deletionTimestamp" in deployment["metadata"]:
            self._settled = 0
            return
        wanted = deployment["spec"].get("replicas", 1)
        ready = sum(pods.serving(pod) for pod in gateway.pods(world))
        self._settled = wanted if ready >= wanted else min(self._settled, wanted)
        least = self._settled - max_unavailable(deployment["spec"].get("strategy", {}), self._settled)
        if ready < least:
            yield 7, f"{ready} of {wanted} gateway pods are ready, and the strategy requires {least}"


def max_unavailable(strategy: Mapping[str, Any], replicas: int) -> int:
    """The number of unavailable pods that the Deployment controller allows.

    It rounds a percentage in maxUnavailable down and one in maxSurge up; if both are zero, one pod may be unavailable
    (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment).
    """
    if strategy.get("type") == "Recreate":
        return replicas
    rolling = strategy.get("rollingUpdate", {})
    unavailable = _resolved(rolling.get("maxUnavailable", "25%"), replicas, math.floor)
    if unavailable == 0 and _resolved(rolling.get("maxSurge", "25%"), replicas, math.ceil) == 0:
        return min(1, replicas)
    return min(unavailable, replicas)


def _resolved(value: int | str, replicas: int, rounded: Callable[[float], int]) -> int:
    if isinstance(value, int):
        return value
    return rounded(int(value.rstrip("%")) * replicas / 100)


def _name(item: Object) -> str:
    return str(item["metadata"]["name"])
