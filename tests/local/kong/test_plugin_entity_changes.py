"""The program's changes of plugin entities (traceable_kong/kong_admin), with two simulated nodes on one real
PostgreSQL.

A change is complete when the other node has loaded it, and not earlier.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from local.kong.admin_routes import Response
from local.kong.traditional_node import TraditionalNode
from local.kubelet.listeners import Listener, free_port
from local.postgres.postgres_server import HOST
from tests.fakes.clock import Clock
from tests.local.kong.databases import PrivateDatabase, ask, create
from traceable_kong.kong_admin import admin_client as asking
from traceable_kong.kong_admin import entity_changes
from traceable_kong.kong_admin.admin_client import AdminClient
from traceable_kong.kong_admin.admin_connection import Tls, to_url
from traceable_kong.kong_admin.admin_errors import AdminError, ErrorResponse, OwnershipConflict
from traceable_kong.kong_admin.entity_changes import delete_entities, find_entity, write_entity
from traceable_kong.kong_admin.plugin_target import PluginTarget

STEP_SECONDS = 0.05
LAST = "ffffffff-ffff-4fff-bfff-ffffffffffff"
"""An id that sorts after all others."""

Break = Callable[[str, str], bool]


def place(**changes: str) -> PluginTarget:
    return PluginTarget(**{"workspace": "default", "plugin": "foo", "owner": "traceable-kong.dev", **changes})


@contextmanager
def asked(
    kong: TraditionalNode,
    at: PluginTarget,
    *,
    token: str | None = None,
    breaks: Break | None = None,
    deadline_seconds: float = 5.0,
) -> Iterator[AdminClient]:
    """Yields a client of this node. `breaks` returns True if the response to a request is to be lost."""

    def handle(
        method: str, path: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]
    ) -> Response | None:
        answer = kong.admin_api(method, path, query, body, headers)
        return None if breaks is not None and breaks(method, path) else answer

    port = free_port(HOST, 0)
    listener = Listener(HOST, port, handle)
    try:
        with AdminClient(
            to_url(f"http://{HOST}:{port}", Tls()),
            token=token,
            workspace=at.workspace,
            deadline_seconds=deadline_seconds,
        ) as client:
            yield client
    finally:
        listener.close()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the changes. Requests do not wait."""
    clock = Clock()
    monkeypatch.setattr(entity_changes, "time", clock)
    monkeypatch.setattr(asking, "PAUSE_SECONDS", 0.01)
    return clock


def follows(kong: TraditionalNode, clock: Clock, *, phase: float = 0.0) -> None:
    """Lets the node poll the database as time passes. Its timers started `phase` seconds ago."""
    kong.follow(clock.now - phase)
    past = clock.now

    def then(now: float) -> None:
        nonlocal past
        while past < now:
            past += STEP_SECONDS
            kong.follow(past)

    clock.then = then


def levels(kong: TraditionalNode) -> list[tuple[str, str, bool]]:
    return [(row["id"], row["config"]["level"], row["enabled"]) for row in kong.loaded.plugins]


def create_plugin_entities(database: PrivateDatabase, count: int, *, last: str) -> None:
    """Creates `count` plugin entities of another owner, each for its own consumer, and a global one with the id
    `last`.
    """
    database.execute(
        "INSERT INTO entities (kind, id, ws_id, document) SELECT 'plugins', id, (SELECT id FROM workspaces "
        "WHERE name = 'default'), jsonb_build_object('id', id, 'name', 'foo', 'enabled', true, 'tags', null, "
        "'config', jsonb_build_object('level', 'low'), 'consumer', jsonb_build_object('id', gen_random_uuid())) "
        f"FROM (SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid AS id "
        f"FROM generate_series(1, {count}) AS n) AS numbered"
    )
    database.execute(
        "INSERT INTO entities (kind, id, ws_id, document) SELECT 'plugins', "
        f"'{last}', id, jsonb_build_object('id', '{last}', 'name', 'foo', 'enabled', true, 'tags', null, "
        "'config', jsonb_build_object('level', 'low')) FROM workspaces WHERE name = 'default'"
    )


@pytest.mark.parametrize("timers", [(5.0, 0.0, 5.0), (1.0, 0.0, 3.0)])
@pytest.mark.parametrize("phase", [0.0, 1.3, 4.95])
def test_a_change_is_complete_when_the_other_node_has_loaded_it(
    database: PrivateDatabase, clock: Clock, phase: float, timers: tuple[float, float, float]
) -> None:
    names = ("KONG_DB_UPDATE_FREQUENCY", "KONG_DB_UPDATE_PROPAGATION", "KONG_WORKER_STATE_UPDATE_FREQUENCY")
    env = {name: f"{seconds:g}" for name, seconds in zip(names, timers, strict=True)}
    one, other = database.node(**env), database.node(**env)
    follows(other, clock, phase=min(phase, timers[0] - 0.05))
    with asked(one, place()) as client:
        id_ = write_entity(client, place(), enabled=True, config={"level": "high", "size": 3.0}, adopt=False, id_=None)
        assert levels(other) == [(id_, "high", True)]
        write_entity(client, place(), enabled=False, config={"level": "low"}, adopt=False, id_=id_)
        assert levels(other) == [(id_, "low", False)]
        delete_entities(client, place(), id_)
        assert levels(other) == []
        delete_entities(client, place(), id_)
    assert clock.now <= 4 * (sum(timers) + 1)


def test_both_nodes_return_the_written_entity(database: PrivateDatabase) -> None:
    one, other = database.node(), database.node()
    create(one, "/services", name="orders", host="orders.test")
    route = create(one, "/routes", name="orders", paths=["/"], service={"name": "orders"})
    at = place(route="orders")
    with asked(one, at) as client:
        id_ = write_entity(client, at, enabled=True, config={"level": "high"}, adopt=False, id_=None)
    with asked(other, at) as client:
        found = find_entity(client, at)
        assert found.scope is not None and found.scope.route == route["id"]
        assert found.entity is not None
        assert (found.entity["id"], found.entity["route"], found.entity["tags"]) == (id_, {"id": route["id"]}, [at.tag])
        # Another scope in one request.
        assert write_entity(client, place(service="orders"), enabled=True, config={}, adopt=False, id_=id_) == id_
        moved = find_entity(client, place(service="orders"))
        assert moved.entity is not None and moved.entity["id"] == id_ and not moved.entity.get("route")
        assert moved.others == ()


def test_the_next_run_completes_an_interrupted_change(database: PrivateDatabase) -> None:
    lost = []

    def breaks(method: str, path: str) -> bool:
        lost.append(method)
        return method == "PUT" and lost.count("PUT") == 1

    with asked(database.node(), place(), breaks=breaks) as client:
        first = write_entity(client, place(), enabled=True, config={}, adopt=False, id_=None)
        assert lost.count("PUT") == 2
        assert write_entity(client, place(), enabled=True, config={"level": "high"}, adopt=False, id_=None) == first
        assert [row["id"] for row in client.list("/plugins")] == [first]


def test_an_entity_on_the_last_page_is_found_rejected_adopted_and_deleted(database: PrivateDatabase) -> None:
    create_plugin_entities(database, 2 * asking.PAGE_SIZE, last=LAST)
    with asked(database.node(), place()) as client:
        assert len(client.list("/plugins")) == 2 * asking.PAGE_SIZE + 1
        with pytest.raises(OwnershipConflict, match=LAST):
            write_entity(client, place(), enabled=True, config={}, adopt=False, id_=None)
        assert write_entity(client, place(), enabled=True, config={"level": "high"}, adopt=True, id_=None) == LAST
        assert write_entity(client, place(), enabled=True, config={"level": "high"}, adopt=False, id_=None) == LAST, (
            "by its mark"
        )
        assert delete_entities(client, place()) == [LAST]
        assert len(client.list("/plugins")) == 2 * asking.PAGE_SIZE


def test_pages_stay_in_the_workspace(database: PrivateDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAGE_SIZE", 2)
    kong = database.node(enterprise=True)
    create(kong, "/workspaces", name="team")
    create(kong, "/plugins", name="foo")
    create(kong, "/team/services", name="a", host="a.test")
    for name in "bcdef":
        create(kong, "/team/routes", name=name, paths=["/"], service={"name": "a"})
        create(kong, f"/team/routes/{name}/plugins", name="foo")
    at = place(workspace="team")
    with asked(kong, at) as client:
        assert len(client.list("/plugins")) == 5
        id_ = write_entity(client, at, enabled=True, config={}, adopt=False, id_=None)
        assert len(client.list("/plugins")) == 6
    rows = {row["id"]: row["workspace"] for row in database.node(enterprise=True).loaded.plugins}
    assert rows[id_] == "team", "a global plugin entity of another workspace does not matter"
    with asked(kong, place(workspace="none")) as client, pytest.raises(ErrorResponse, match="none"):
        write_entity(client, place(workspace="none"), enabled=True, config={}, adopt=False, id_=None)


def test_a_valid_token_is_accepted_and_another_is_rejected_with_kongs_message(empty_database: PrivateDatabase) -> None:
    empty_database.migrate("bootstrap", enterprise=True, KONG_PASSWORD="s3cret")
    kong = empty_database.node(enterprise=True, KONG_ENFORCE_RBAC="on")
    with asked(kong, place(), token="s3cret") as client:
        write_entity(client, place(), enabled=True, config={}, adopt=False, id_=None)
    for token in (None, "wr0ng"):
        with asked(kong, place(), token=token) as client, pytest.raises(ErrorResponse) as refused:
            client.list("/plugins")
        assert "Invalid RBAC credentials" in str(refused.value) and "wr0ng" not in str(refused.value)


@pytest.mark.parametrize("config", [{"level": "higher"}, {"unknown": 1}])
def test_a_rejection_is_reported_with_kongs_message_and_changes_nothing(
    database: PrivateDatabase, config: dict[str, Any]
) -> None:
    kong = database.node()
    body = {"name": "foo", "config": config}
    status, kongs = ask(kong, "PUT", f"/plugins/{place().id}", body)
    assert status == 400
    with asked(kong, place()) as client:
        with pytest.raises(ErrorResponse) as refused:
            write_entity(client, place(), enabled=True, config=config, adopt=False, id_=None)
        assert kongs["message"] in str(refused.value)
        assert client.list("/plugins") == []


def test_a_change_survives_a_database_outage(database: PrivateDatabase, clock: Clock) -> None:
    gone = [False]
    kong = database.interrupted(gone)
    with asked(kong, place()) as client:
        id_ = write_entity(client, place(), enabled=True, config={"level": "high"}, adopt=False, id_=None)
    gone[0] = True
    for write in (
        lambda client: write_entity(client, place(), enabled=True, config={}, adopt=False, id_=id_),
        lambda client: delete_entities(client, place(), id_),
    ):
        with (
            asked(kong, place(), deadline_seconds=0.1) as client,
            pytest.raises(AdminError, match=r"500.*its database is unavailable"),
        ):
            write(client)
    gone[0] = False
    assert levels(database.node()) == [(id_, "high", True)]
