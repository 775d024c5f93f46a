"""Recordings on a fake API server: the recorder records every event, or raises Gap."""

import threading
from pathlib import Path

import pytest

from tests.recorder import recorder, watch_stream
from tests.recorder.fake_api_server import PODS, FakeApiServer, crd, item, pod
from tests.recorder.history import History
from tests.recorder.recorder import CRDS, PLUGINS, Recorder
from tests.recorder.watch_stream import Gap, Stream


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (watch_stream, recorder):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.5)


@pytest.fixture
def server() -> FakeApiServer:
    return FakeApiServer()


def recorded(server: FakeApiServer) -> Recorder:
    return Recorder(Path("unused"), "kong", api=server)


def test_existing_objects_and_events_of_all_kinds_are_recorded_in_order(server: FakeApiServer) -> None:
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


def test_the_history_is_complete_from_the_last_list_on(server: FakeApiServer) -> None:
    server.writes_on_list = True
    with recorded(server) as history:
        assert history.start == server.now


def test_managed_fields_are_not_recorded(server: FakeApiServer) -> None:
    written = pod("a", 10)
    written["metadata"]["managedFields"] = [{}]
    server.write(PODS, "ADDED", written)
    with recorded(server) as history:
        assert "managedFields" not in history.events[0].object["metadata"]


def test_versions_are_those_of_the_given_moment(server: FakeApiServer) -> None:
    with recorded(server) as history:
        server.write(PODS, "ADDED", pod("a", 10))
        server.write(PODS, "DELETED", pod("a", 11))
    assert history.versions("Pod", "kong", 10) == {("kong", "a"): 10}
    assert history.versions("Pod", "kong", 11) == history.versions("Pod", "agent", 10) == {}


def test_a_watch_continues_where_the_last_one_ended(server: FakeApiServer) -> None:
    with recorded(server) as history:
        server.write(PODS, "ADDED", pod("a", 10))
        server.failing_watches = 3
        server.write(PODS, "MODIFIED", pod("a", 11))
    versions = [version for path, version in server.watched_from if path == PODS]
    assert versions == sorted(versions)
    assert [event.resource_version for event in history.events] == [10, 11]


def test_a_server_that_no_longer_has_the_events_is_a_gap(server: FakeApiServer) -> None:
    with pytest.raises(Gap, match="too old resource version"), recorded(server):
        server.compacted = 100
        server.write(PODS, "ADDED", pod("a", 10))


def test_an_event_that_is_not_sent_is_a_gap(server: FakeApiServer) -> None:
    server.dropped = {10}
    with pytest.raises(Gap, match="was recorded"), recorded(server):
        server.write(PODS, "ADDED", pod("a", 10))


def test_an_event_out_of_order_is_a_gap(server: FakeApiServer) -> None:
    with pytest.raises(Gap, match="10 came after 11"), recorded(server):
        server.write(PODS, "ADDED", pod("b", 11))
        server.write(PODS, "ADDED", pod("a", 10))
        server.write(PODS, "ADDED", pod("c", 12))


def test_a_server_that_stays_unreachable_is_a_gap(server: FakeApiServer) -> None:
    server.failing_watches = 10
    server.write(PODS, "ADDED", pod("a", 10))
    stream = Stream(server, History(), kind="Pod", path=PODS)
    with pytest.raises(Gap, match="no watch since"):
        next(stream.follow())


def test_a_watch_that_does_not_reach_the_list_is_a_gap(server: FakeApiServer) -> None:
    server.bookmarks = False
    with pytest.raises(Gap, match="was reached"), recorded(server):
        server.write("/elsewhere", "ADDED", item("a", 10))


def test_an_error_inside_the_block_is_raised_instead_of_a_gap(server: FakeApiServer) -> None:
    with pytest.raises(ValueError, match="inside"), recorded(server):
        server.compacted = 100
        server.write(PODS, "ADDED", pod("a", 10))
        raise ValueError("inside")


def test_plugins_are_recorded_once_their_kind_exists(server: FakeApiServer) -> None:
    server.without_kind = True
    with recorded(server) as history:
        server.write(CRDS, "ADDED", crd(10, established=False))
        server.write(CRDS, "MODIFIED", crd(11))
        server.write(PLUGINS, "ADDED", item("p", 12))
        # The CRD is established, and the kind is not served yet.
        threading.Event().wait(0.1)
        server.without_kind = False
        while not history.events:
            threading.Event().wait(0.01)
        server.write(PLUGINS, "DELETED", item("p", 13))
    assert [(event.kind, event.type) for event in history.events] == [
        ("KongClusterPlugin", "ADDED"),
        ("KongClusterPlugin", "DELETED"),
    ]


def test_plugins_are_recorded_where_their_kind_is_created_at_the_last_moment(server: FakeApiServer) -> None:
    server.without_kind = True
    with recorded(server) as history:
        server.write(CRDS, "ADDED", crd(10))
        server.write(PLUGINS, "ADDED", item("p", 11))
        server.without_kind = False
    assert [event.type for event in history.events] == ["ADDED"]


def test_a_kind_that_is_created_between_two_requests_is_recorded(server: FakeApiServer) -> None:
    server.write(CRDS, "ADDED", crd(10))
    server.without_kind = True
    with recorded(server) as history:
        server.without_kind = False
        server.write(PLUGINS, "ADDED", item("p", 11))
    assert [event.type for event in history.events] == ["ADDED"]


def test_the_recorder_waits_for_a_kind_that_is_not_established(server: FakeApiServer) -> None:
    server.without_kind = True
    with recorded(server):
        server.write(CRDS, "ADDED", crd(10, established=False))
        threading.Event().wait(2 * watch_stream.PATIENCE_SECONDS)


def test_a_kind_that_is_never_created_has_no_events_and_is_no_gap(server: FakeApiServer) -> None:
    server.without_kind = True
    with recorded(server) as history:
        server.write(CRDS, "ADDED", item("another", 10))
    assert history.events == []


def test_a_plugin_that_is_changed_before_its_kind_can_be_watched_is_a_gap(server: FakeApiServer) -> None:
    server.without_kind = True
    with pytest.raises(Gap, match="before its kind could be watched"), recorded(server):
        server.write(PLUGINS, "ADDED", item("p", 12, generation=2))
        server.write(CRDS, "ADDED", crd(13))
        server.without_kind = False


def test_several_namespaces_are_one_history(server: FakeApiServer) -> None:
    with Recorder(Path("unused"), "kong", "agent", api=server) as history:
        server.write(PODS, "ADDED", pod("a", 10))
        server.write(PODS.replace("kong", "agent"), "ADDED", pod("a", 11, "agent"))
    assert [event.name for event in history.events] == [("kong", "a"), ("agent", "a")]
