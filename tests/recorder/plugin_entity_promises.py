"""The promises about the plugin for a gateway with a database, by what each Kong node has loaded at each moment.

With a database the plugin is a plugin entity that each node reads by itself, and no object in the cluster shows what a
node has loaded. The embedded platform keeps that in a file (`local.kubelet.loaded_plugins`).
"""

import bisect
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.recorder import pods
from tests.recorder.history import History, World
from tests.recorder.promises import Gateway, Violation

Entities = Sequence[Mapping[str, Any]]
Loaded = Mapping[str, Sequence[tuple[float, Entities]]]
"""`{pod: [(unix time, the entities that it loaded then), ...]}`"""


def violations(history: History, gateway: Gateway, nodes: Loaded, *, since: float) -> list[Violation]:
    """Violations of the promises 2 and 3 from `since` (unix time) on, each text once.

    2. No serving pod without the TME has loaded an entity with mode `sync`. 3. No serving pod without the plugin's
    files has loaded an entity.
    """
    found: dict[tuple[int, str], Violation] = {}
    for begin, end, world in _states(history, since):
        for moment in _moments(nodes, begin, end):
            for promise, text in _broken(world, gateway, nodes, moment):
                violation = Violation(
                    promise=promise, text=text, time=datetime.fromtimestamp(moment, UTC), resource_version=history.start
                )
                found.setdefault((promise, text), violation)
    return list(found.values())


def _states(history: History, since: float) -> Iterator[tuple[float, float, World]]:
    """The states of the cluster, each with its first and last moment (unix time)."""
    events = [event for event in history.events if event.resource_version > history.start]
    times = [since, *(event.time.timestamp() for event in events), math.inf]
    for index, (_, world) in enumerate(history.replay()):
        yield times[index], times[index + 1], world


def _moments(nodes: Loaded, begin: float, end: float) -> list[float]:
    """The beginning of a state of the cluster, and the moments within it when a node loaded other entities."""
    changes = [moment for entries in nodes.values() for moment, _ in entries if begin < moment < end]
    return [begin, *sorted(changes)]


def _broken(world: World, gateway: Gateway, nodes: Loaded, moment: float) -> Iterator[tuple[int, str]]:
    serving = [pod for pod in gateway.pods(world) if pods.serving(pod)]
    for pod in serving:
        name = str(pod["metadata"]["name"])
        loaded = [item for item in _loaded_at(nodes.get(name, ()), moment) if item["name"] == gateway.plugin]
        sync = any(item["enabled"] and item["config"].get("mode", "sync") == "sync" for item in loaded)
        if sync and not pods.runs_image(pod, gateway.tme_image):
            yield 2, f"the serving pod {name} has loaded a plugin entity with mode sync, and has no TME"
        path = f"/opt/kong/plugins/{gateway.plugin}"
        if loaded and not pods.mounted_config_map(pod, container=gateway.container, path=path):
            yield 3, f"the serving pod {name} has loaded a plugin entity, and does not mount the plugin's files"


def _loaded_at(entries: Sequence[tuple[float, Entities]], moment: float) -> Entities:
    index = bisect.bisect_right([since for since, _ in entries], moment)
    return entries[index - 1][1] if index else ()
