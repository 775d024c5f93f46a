"""An API server that is told what to answer: for recordings without a cluster."""

import threading
from collections.abc import Iterator
from typing import Any

from tests.live.recorder import CRDS, PLUGIN_CRD, PLUGINS
from tests.live.watching import Refused

PODS = "/api/v1/namespaces/kong/pods"
KINDS = {PLUGINS: "KongClusterPluginList", CRDS: "CustomResourceDefinitionList"}


def item(name: str, version: int, generation: int = 1) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version), "generation": generation}}


def pod(name: str, version: int, namespace: str = "kong") -> dict[str, Any]:
    return {"metadata": {**item(name, version)["metadata"], "namespace": namespace}}


def crd(version: int, *, established: bool = True) -> dict[str, Any]:
    condition = {"type": "Established", "status": str(established)}
    return {**item(PLUGIN_CRD, version), "status": {"conditions": [condition]}}


class Server:
    """One log of writes, (resourceVersion, path, type, object); watches end at the log's end, with a bookmark.

    `down` is how many watches fail first; `forgotten` is the oldest resourceVersion that it can still tell from;
    `swallowed` are resourceVersions that its watches leave out; `restless` writes something elsewhere at every list.
    """

    def __init__(self) -> None:
        self.log: list[tuple[int, str, str, dict[str, Any]]] = []
        self.down = 0
        self.forgotten = 0
        self.swallowed: set[int] = set()
        self.without_kind = False
        self.bookmarks = True
        self.restless = False
        self.watched_from: list[tuple[str, int]] = []
        self._lock = threading.Lock()

    def write(self, path: str, event_type: str, thing: dict[str, Any]) -> None:
        with self._lock:
            self.log.append((int(thing["metadata"]["resourceVersion"]), path, event_type, thing))

    @property
    def now(self) -> int:
        return max((version for version, *_ in self.log), default=1)

    def list(self, path: str) -> dict[str, Any]:
        if self.restless:
            self.write("/elsewhere", "ADDED", item("x", self.now + 1))
        if path == PLUGINS and self.without_kind:
            raise Refused(404, "page not found")
        with self._lock:
            stands: dict[str, dict[str, Any]] = {}
            for _, where, event_type, thing in self.log:
                if where == path:
                    stands[thing["metadata"]["name"]] = thing
                    if event_type == "DELETED":
                        del stands[thing["metadata"]["name"]]
            items = [{**each, "metadata": dict(each["metadata"])} for each in stands.values()]
            return {"kind": KINDS.get(path, "List"), "metadata": {"resourceVersion": str(self.now)}, "items": items}

    def watch(self, path: str, resource_version: int) -> Iterator[dict[str, Any]]:
        threading.Event().wait(0.01)
        with self._lock:
            self.watched_from.append((path, resource_version))
            if self.down:
                self.down -= 1
                raise OSError("connection refused")
            if resource_version < self.forgotten:
                yield {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}
                return
            told, now = list(self.log), self.now
        for version, where, event_type, thing in told:
            if where == path and version > resource_version and version not in self.swallowed:
                yield {"type": event_type, "object": {**thing, "metadata": dict(thing["metadata"])}}
        if self.bookmarks:
            yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(now)}}}
