"""The promises of a gateway with a database, over what each of its Kong nodes had loaded at each moment.

    with recorded_rows(stack) as recording:
        ...

A KongClusterPlugin is what the controllers are told; with a database each node asks the database by itself, and what
it goes by shows nowhere in the cluster. The platform writes it down (`local.kubelet.loaded_plugins`). The promises that
need no plugin are the recorder's as everywhere (promises.py).
"""

import bisect
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from local.kubelet import loaded_plugins
from tests.live import pods
from tests.live.history import History, World
from tests.live.promises import Gateway, Violation
from tests.live.stack import LiveStack, Recording

Rows = Sequence[Mapping[str, Any]]
Loaded = Mapping[str, Sequence[tuple[float, Rows]]]


@contextmanager
def recorded_rows(stack: LiveStack) -> Iterator[Recording]:
    """Records the stack's gateway meanwhile: no promise may be broken, by any node."""
    with stack.recorded() as recording:
        since = time.time()
        yield recording
    broken = violations(recording.history, stack.gateway, loaded_plugins.read(stack.kong_namespace), since=since)
    assert not broken, "\n".join(["promises were broken:", *map(str, broken)])


def violations(history: History, gateway: Gateway, nodes: Loaded, *, since: float) -> list[Violation]:
    """Promises 2 and 3 from `since` (unix time) on, each pod and text once.

    2. No node goes by a row that says `sync` while a serving pod lacks the TME. 3. No node has a row while a serving
    pod lacks the plugin's files.
    """
    found: dict[tuple[int, str], Violation] = {}
    for begin, end, world in _stretches(history, since):
        for moment in _moments(nodes, begin, end):
            for promise, text in _broken(world, gateway, nodes, moment):
                violation = Violation(
                    promise=promise, text=text, time=datetime.fromtimestamp(moment, UTC), resource_version=history.start
                )
                found.setdefault((promise, text), violation)
    return list(found.values())


def _stretches(history: History, since: float) -> Iterator[tuple[float, float, World]]:
    """From when until when (unix time) the cluster was like this, one after the other."""
    events = [event for event in history.events if event.resource_version > history.start]
    times = [since, *(event.time.timestamp() for event in events), math.inf]
    for index, (_, world) in enumerate(history.replay()):
        yield times[index], times[index + 1], world


def _moments(nodes: Loaded, begin: float, end: float) -> list[float]:
    """The beginning of a stretch, and whenever a node loaded something else within it."""
    changes = [moment for entries in nodes.values() for moment, _ in entries if begin < moment < end]
    return [begin, *sorted(changes)]


def _broken(world: World, gateway: Gateway, nodes: Loaded, moment: float) -> Iterator[tuple[int, str]]:
    serving = [pod for pod in gateway.pods(world) if pods.serving(pod)]
    for pod in serving:
        name = str(pod["metadata"]["name"])
        rows = [row for row in _at(nodes.get(name, ()), moment) if row["name"] == gateway.plugin]
        sync = any(row["enabled"] and row["config"].get("mode", "sync") == "sync" for row in rows)
        if sync and not pods.runs_image(pod, gateway.tme_image):
            yield 2, f"the node of the serving pod {name} goes by a row that says sync, and has no TME"
        where = f"/opt/kong/plugins/{gateway.plugin}"
        if rows and not pods.mounted_config_map(pod, container=gateway.container, path=where):
            yield 3, f"the node of the serving pod {name} has a row, and not the plugin's files"


def _at(entries: Sequence[tuple[float, Rows]], moment: float) -> Rows:
    """What a node had loaded then."""
    index = bisect.bisect_right([since for since, _ in entries], moment)
    return entries[index - 1][1] if index else ()
