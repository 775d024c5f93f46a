"""What this program promises of a gateway while it changes it, checked over a recorded history, step by step.

1. A gateway pod never starts without the TME while it asks for it.
2. The plugin never says `sync` while a serving gateway pod lacks the TME.
3. The plugin never exists while a serving gateway pod lacks its files.
4. No pod that is not terminating ever refers to a ConfigMap that is gone.
7. The number of ready gateway pods never falls below what the Deployment's own strategy allows.

Pure.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.live import pods
from tests.live.history import Event, History, World
from tests.live.pods import Object

INJECT = "tme.traceable.ai/inject"
INGRESS_CLASS = "kubernetes.io/ingress.class"
REVISION = "deployment.kubernetes.io/revision"
TME_IMAGE = "docker.io/traceableai/traceable-agent"


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """Which gateway is judged.

    `selector` is its Deployment's; `container` is Kong's own in its pods; `tme_image` the TME image without its
    version; `plugin` the plugin's name in Kong; `guard_denies` whether pods without their TME are refused.
    """

    namespace: str
    deployment: str
    selector: Mapping[str, str]
    ingress_class: str
    container: str = "proxy"
    tme_image: str = TME_IMAGE
    plugin: str = "traceable"
    guard_denies: bool = True

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
    """A promise that was broken: which one, when (None: before the recording began), and how."""

    promise: int
    text: str
    time: datetime | None
    resource_version: int

    def __str__(self) -> str:
        when = f"{self.time:%H:%M:%S.%f}" if self.time else "from the start"
        return f"promise {self.promise}, {when}, resourceVersion {self.resource_version}: {self.text}"


def violations(history: History, gateway: Gateway) -> list[Violation]:
    """Every violation, once each time that it begins."""
    floor = Floor()
    standing: set[tuple[int, str]] = set()
    found: list[Violation] = []
    for event, world in history.replay():
        broken = set(_broken(world, gateway)) | set(floor.broken(world, gateway))
        found += [
            Violation(
                promise=promise,
                text=text if event is None else f"{text} (after {_told(event)})",
                time=event.time if event else None,
                resource_version=event.resource_version if event else history.start,
            )
            for promise, text in sorted(broken - standing)
        ]
        standing = broken
    return found


def rollouts(history: History, gateway: Gateway) -> int:
    """How often the gateway's pods were given another template.

    Counted by the revisions that ReplicaSets were given: a template that was there before comes back with its old
    ReplicaSet, under a new revision.
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
    """Promises 1 to 4 in one moment: which are broken, and by what."""
    gateway_pods = gateway.pods(world)
    for pod in gateway_pods:
        asks = pod["metadata"].get("annotations", {}).get(INJECT, "false") != "false"
        has_tme = pods.runs_image(pod, gateway.tme_image)
        if gateway.guard_denies and asks and not has_tme and not pods.terminating(pod):
            yield 1, f"pod {_name(pod)} asks for the TME and was started without it"
    for plugin in gateway.plugins(world):
        # The mode that the plugin has where its configuration names none.
        mode = plugin.get("config", {}).get("mode", "sync")
        for pod in gateway_pods:
            if not pods.serving(pod):
                continue
            if mode == "sync" and not plugin.get("disabled") and not pods.runs_image(pod, gateway.tme_image):
                yield 2, f"plugin {_name(plugin)} says sync, and the serving pod {_name(pod)} has no TME"
            where = f"/opt/kong/plugins/{gateway.plugin}"
            if not pods.mounted_config_map(pod, container=gateway.container, path=where):
                yield 3, f"plugin {_name(plugin)} is there, and the serving pod {_name(pod)} has not its files"
    for (namespace, _), pod in world.all("Pod").items():
        if not pods.terminating(pod) and not pods.over(pod):
            for name in pods.config_maps(pod):
                if (namespace, name) not in world.all("ConfigMap"):
                    yield 4, f"pod {_name(pod)} refers to the ConfigMap {name}, which is not there"


class Floor:
    """Promise 7: how many pods must be ready, as the Deployment's own strategy counts them.

    From the first moment on when as many were ready as it asks for. More replicas are asked of it only when they have
    been ready too; fewer, at once.
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
            yield 7, f"{ready} of {wanted} gateway pods are ready, and its strategy asks for {least}"


def max_unavailable(strategy: Mapping[str, Any], replicas: int) -> int:
    """As the Deployment controller resolves it: percentages of what may be missing are rounded down, of what may be
    too many up, and where neither leaves room one pod may be missing
    (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment).
    """
    if strategy.get("type") == "Recreate":
        return replicas
    rolling = strategy.get("rollingUpdate", {})
    missing = _resolved(rolling.get("maxUnavailable", "25%"), replicas, math.floor)
    if missing == 0 and _resolved(rolling.get("maxSurge", "25%"), replicas, math.ceil) == 0:
        return min(1, replicas)
    return min(missing, replicas)


def _resolved(value: int | str, replicas: int, rounded: Callable[[float], int]) -> int:
    if isinstance(value, int):
        return value
    return rounded(int(value.rstrip("%")) * replicas / 100)


def _name(item: Object) -> str:
    return str(item["metadata"]["name"])


def _told(event: Event) -> str:
    return f"{event.kind} {event.name[1]} {event.type}"
