"""A recording against a server that is told what to answer: nothing is missed in silence."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import recorder, watching
from tests.live.recorder import CRDS, PLUGIN_CRD, PLUGINS, Recorder
from tests.live.watching import Gap, Refused

PODS = "/api/v1/namespaces/kong/pods"
KINDS = {PLUGINS: "KongClusterPluginList", CRDS: "CustomResourceDefinitionList"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (watching, recorder):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.5)


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
    `swallowed` are resourceVersions that its watches leave out.
    """

    def __init__(self) -> None:
        self.log: list[tuple[int, str, str, dict[str, Any]]] = []
        self.down = 0
        self.forgotten = 0
        self.swallowed: set[int] = set()
        self.without_kind = False
        self.bookmarks = True
        self.watched_from: list[tuple[str, int]] = []
        self._lock = threading.Lock()

    def write(self, path: str, event_type: str, thing: dict[str, Any]) -> None:
        with self._lock:
            self.log.append((int(thing["metadata"]["resourceVersion"]), path, event_type, thing))

    @property
    def now(self) -> int:
        return max((version for version, *_ in self.log), default=1)

    def list(self, path: str) -> dict[str, Any]:
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


@pytest.fixture
def server() -> Server:
    return Server()


def recorded(server: Server) -> Recorder:
    return Recorder(Path("unused"), "kong", api=server)


def test_what_was_there_and_all_that_happens_is_recorded_in_the_order_in_which_it_happened(server: Server) -> None:
    server.write(PODS, "ADDED", pod("old", 5))
    server.write(PLUGINS, "ADDED", item("plugin", 7))
    with recorded(server) as history:
        assert history.start == 7
        server.write(PODS, "ADDED", pod("new", 10))
        server.write(PLUGINS, "MODIFIED", item("plugin", 11))
        server.write(PODS, "DELETED", pod("old", 12))
    assert [(event.resource_version, event.kind, event.type) for event in history.events] == [
        (5, "Pod", "LISTED"),
        (7, "KongClusterPlugin", "LISTED"),
        (10, "Pod", "ADDED"),
        (11, "KongClusterPlugin", "MODIFIED"),
        (12, "Pod", "DELETED"),
    ]


def test_a_watch_goes_on_where_the_last_one_ended(server: Server) -> None:
    with recorded(server) as history:
        server.write(PODS, "ADDED", pod("a", 10))
        server.down = 3
        server.write(PODS, "MODIFIED", pod("a", 11))
    versions = [version for path, version in server.watched_from if path == PODS]
    assert versions == sorted(versions)
    assert [event.resource_version for event in history.events] == [10, 11]


def test_a_server_that_no_longer_knows_is_a_gap(server: Server) -> None:
    with pytest.raises(Gap, match="too old resource version"), recorded(server):
        server.forgotten = 100
        server.write(PODS, "ADDED", pod("a", 10))


def test_an_event_that_is_not_told_is_a_gap(server: Server) -> None:
    server.swallowed = {10}
    with pytest.raises(Gap, match="was recorded"), recorded(server):
        server.write(PODS, "ADDED", pod("a", 10))


def test_an_event_out_of_order_is_a_gap(server: Server) -> None:
    with pytest.raises(Gap, match="10 came after 11"), recorded(server):
        server.write(PODS, "ADDED", pod("b", 11))
        server.write(PODS, "ADDED", pod("a", 10))
        server.write(PODS, "ADDED", pod("c", 12))


def test_a_server_that_stays_away_is_a_gap(server: Server) -> None:
    with pytest.raises(Gap), recorded(server):
        server.down = 10_000
        server.write(PODS, "ADDED", pod("a", 10))


def test_a_watch_that_does_not_get_as_far_as_the_list_is_a_gap(server: Server) -> None:
    server.bookmarks = False
    with pytest.raises(Gap, match="was reached"), recorded(server):
        server.write("/elsewhere", "ADDED", item("a", 10))


def test_what_goes_wrong_inside_is_what_is_told(server: Server) -> None:
    with pytest.raises(ValueError, match="inside"), recorded(server):
        server.forgotten = 100
        server.write(PODS, "ADDED", pod("a", 10))
        raise ValueError("inside")


def test_plugins_are_recorded_from_the_day_on_which_their_kind_comes(server: Server) -> None:
    server.without_kind = True
    with recorded(server) as history:
        server.write(CRDS, "ADDED", crd(10, established=False))
        server.write(CRDS, "MODIFIED", crd(11))
        server.write(PLUGINS, "ADDED", item("p", 12))
        server.without_kind = False
        while not history.events:
            threading.Event().wait(0.01)
        server.write(PLUGINS, "DELETED", item("p", 13))
    assert [(event.kind, event.type) for event in history.events] == [
        ("KongClusterPlugin", "ADDED"),
        ("KongClusterPlugin", "DELETED"),
    ]


def test_a_kind_that_never_comes_has_no_events_and_is_no_gap(server: Server) -> None:
    server.without_kind = True
    with recorded(server) as history:
        server.write(CRDS, "ADDED", item("another", 10))
    assert history.events == []


def test_a_plugin_that_was_changed_before_its_kind_could_be_watched_is_a_gap(server: Server) -> None:
    server.without_kind = True
    with pytest.raises(Gap, match="before its kind could be watched"), recorded(server):
        server.write(PLUGINS, "ADDED", item("p", 12, generation=2))
        server.write(CRDS, "ADDED", crd(13))
        server.without_kind = False


def test_several_namespaces_are_one_history(server: Server) -> None:
    with Recorder(Path("unused"), "kong", "agent", api=server) as history:
        server.write(PODS, "ADDED", pod("a", 10))
        server.write(PODS.replace("kong", "agent"), "ADDED", pod("a", 11, "agent"))
    assert [event.name for event in history.events] == [("kong", "a"), ("agent", "a")]
