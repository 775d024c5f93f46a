"""A fake API server for recordings without a cluster: a log of writes, lists and watches of it."""

import threading
from collections.abc import Iterator
from typing import Any

from tests.recorder.recorder import CRDS, PLUGIN_CRD, PLUGINS
from tests.recorder.watch_stream import Refused

PODS = "/api/v1/namespaces/kong/pods"
KINDS = {PLUGINS: "KongClusterPluginList", CRDS: "CustomResourceDefinitionList"}


def item(name: str, version: int, generation: int = 1) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version), "generation": generation}}


def pod(name: str, version: int, namespace: str = "kong") -> dict[str, Any]:
    return {"metadata": {**item(name, version)["metadata"], "namespace": namespace}}


def crd(version: int, *, established: bool = True) -> dict[str, Any]:
    condition = {"type": "Established", "status": str(established)}
    return {**item(PLUGIN_CRD, version), "status": {"conditions": [condition]}}


class FakeApiServer:
    """`log` is (resourceVersion, path, type, object) of every write; watches end at its end, with a bookmark.

    `failing_watches` is how many watches fail first; `compacted` is the oldest resourceVersion that a watch may start
    from; `dropped` are resourceVersions that its watches omit; with `writes_on_list` every list writes an object
    elsewhere.
    """

    def __init__(self) -> None:
        self.log: list[tuple[int, str, str, dict[str, Any]]] = []
        self.failing_watches = 0
        self.compacted = 0
        self.dropped: set[int] = set()
        self.without_kind = False
        self.bookmarks = True
        self.writes_on_list = False
        self.watched_from: list[tuple[str, int]] = []
        self._lock = threading.Lock()

    def write(self, path: str, event_type: str, written: dict[str, Any]) -> None:
        with self._lock:
            self.log.append((int(written["metadata"]["resourceVersion"]), path, event_type, written))

    @property
    def now(self) -> int:
        return max((version for version, *_ in self.log), default=1)

    def list(self, path: str) -> dict[str, Any]:
        if self.writes_on_list:
            self.write("/elsewhere", "ADDED", item("x", self.now + 1))
        if path == PLUGINS and self.without_kind:
            raise Refused(404, "page not found")
        with self._lock:
            current: dict[str, dict[str, Any]] = {}
            for _, written_path, event_type, written in self.log:
                if written_path == path:
                    current[written["metadata"]["name"]] = written
                    if event_type == "DELETED":
                        del current[written["metadata"]["name"]]
            items = [{**each, "metadata": dict(each["metadata"])} for each in current.values()]
            return {"kind": KINDS.get(path, "List"), "metadata": {"resourceVersion": str(self.now)}, "items": items}

    def watch(self, path: str, resource_version: int) -> Iterator[dict[str, Any]]:
        threading.Event().wait(0.01)
        with self._lock:
            self.watched_from.append((path, resource_version))
            if self.failing_watches:
                self.failing_watches -= 1
                raise OSError("connection refused")
            if resource_version < self.compacted:
                yield {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}
                return
            log, now = list(self.log), self.now
        for version, written_path, event_type, written in log:
            if written_path == path and version > resource_version and version not in self.dropped:
                yield {"type": event_type, "object": {**written, "metadata": dict(written["metadata"])}}
        if self.bookmarks:
            yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(now)}}}
