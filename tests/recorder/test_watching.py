"""A recording against a server that is told what to answer: nothing is missed in silence."""

import threading
from pathlib import Path

import pytest

from tests.live import recorder, watching
from tests.live.history import History
from tests.live.recorder import CRDS, PLUGINS, Recorder
from tests.live.watching import Gap, Stream
from tests.recorder.server import PODS, Server, crd, item, pod


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (watching, recorder):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.5)


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


def test_the_history_is_whole_from_the_last_list_on(server: Server) -> None:
    server.restless = True
    with recorded(server) as history:
        assert history.start == server.now


def test_who_wrote_what_is_not_kept(server: Server) -> None:
    written = pod("a", 10)
    written["metadata"]["managedFields"] = [{}]
    server.write(PODS, "ADDED", written)
    with recorded(server) as history:
        assert "managedFields" not in history.events[0].object["metadata"]


def test_what_stands_at_a_moment_is_not_what_stands_later(server: Server) -> None:
    with recorded(server) as history:
        server.write(PODS, "ADDED", pod("a", 10))
        server.write(PODS, "DELETED", pod("a", 11))
    assert history.versions("Pod", "kong", 10) == {("kong", "a"): 10}
    assert history.versions("Pod", "kong", 11) == history.versions("Pod", "agent", 10) == {}


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
    server.down = 10
    server.write(PODS, "ADDED", pod("a", 10))
    stream = Stream(server, History(), kind="Pod", path=PODS)
    with pytest.raises(Gap, match="no watch since"):
        next(stream.follow())


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
        # Established, and not served yet.
        threading.Event().wait(0.1)
        server.without_kind = False
        while not history.events:
            threading.Event().wait(0.01)
        server.write(PLUGINS, "DELETED", item("p", 13))
    assert [(event.kind, event.type) for event in history.events] == [
        ("KongClusterPlugin", "ADDED"),
        ("KongClusterPlugin", "DELETED"),
    ]


def test_plugins_are_recorded_whose_kind_comes_at_the_last_moment(server: Server) -> None:
    server.without_kind = True
    with recorded(server) as history:
        server.write(CRDS, "ADDED", crd(10))
        server.write(PLUGINS, "ADDED", item("p", 11))
        server.without_kind = False
    assert [event.type for event in history.events] == ["ADDED"]


def test_a_kind_that_came_between_two_questions_is_recorded(server: Server) -> None:
    server.write(CRDS, "ADDED", crd(10))
    server.without_kind = True
    with recorded(server) as history:
        server.without_kind = False
        server.write(PLUGINS, "ADDED", item("p", 11))
    assert [event.type for event in history.events] == ["ADDED"]


def test_a_kind_that_is_not_established_is_waited_for(server: Server) -> None:
    server.without_kind = True
    with recorded(server):
        server.write(CRDS, "ADDED", crd(10, established=False))
        threading.Event().wait(2 * watching.PATIENCE_SECONDS)


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
