"""The row is written, taken over, read and removed, and every node has the time to know."""

from typing import Any

import pytest

from tests.fakes.clock import Clock
from tests.kong_admin.server import Admin
from tests.kong_admin.test_plugin_target import place
from traceable_kong.kong_admin import entity_changes
from traceable_kong.kong_admin.admin_client import Client, HookFailed
from traceable_kong.kong_admin.admin_connection import Tls, to_url
from traceable_kong.kong_admin.admin_listen import AdminError
from traceable_kong.kong_admin.entity_changes import OwnershipConflict
from traceable_kong.kong_admin.plugin_target import PluginTarget

CONFIG = {"mode": "sync", "timeout": 500.0}
THEIRS = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(entity_changes, "time", made)
    return made


def client_of(admin: Admin, workspace: str = "default") -> Client:
    return Client(to_url(admin.url, Tls()), workspace=workspace, deadline_seconds=2.0)


def put(admin: Admin, at: PluginTarget | None = None, **options: Any) -> str:
    where = at or place()
    given = {"enabled": True, "config": CONFIG, "adopt": False, **options}
    return entity_changes.put(client_of(admin, where.workspace), where, **given)


def stands(admin: Admin, id_: str = THEIRS, **fields: Any) -> dict[str, Any]:
    """A row that somebody else made."""
    row = {"id": id_, "name": "traceable", "enabled": True, "config": {"mode": "async"}, "tags": None, **fields}
    admin.rows[id_] = row
    return row


def test_it_is_written_under_its_own_id_and_again_without_harm(admin: Admin, clock: Clock) -> None:
    assert put(admin) == put(admin) == place().id
    (row,) = admin.rows.values()
    assert (row["id"], row["name"], row["enabled"], row["tags"]) == (place().id, "traceable", True, [place().tag])
    assert repr(row["config"]) == "{'default_of_kongs': 1, 'mode': 'sync', 'timeout': 500}"


@pytest.mark.parametrize(
    ("configuration", "seconds"),
    [
        ({}, 10.5),
        ({"db_update_frequency": 2, "db_update_propagation": 1, "worker_state_update_frequency": 4}, 7.5),
        ({"db_update_frequency": 2, "worker_consistency": "strict", "worker_state_update_frequency": 4}, 2.5),
        ({"db_update_frequency": "x", "db_update_propagation": None, "worker_state_update_frequency": -1}, 10.5),
    ],
)
def test_it_waits_until_every_node_has_had_time_to_load_it(
    admin: Admin, clock: Clock, configuration: dict[str, Any], seconds: float
) -> None:
    admin.configuration = configuration
    id_ = put(admin)
    assert clock.now == seconds
    entity_changes.take_out(client_of(admin), place(), id_)
    assert (clock.now, admin.rows) == (2 * seconds, {})
    entity_changes.take_out(client_of(admin), place(), id_)
    assert clock.now == 3 * seconds, "also where a killed run removed it a moment ago"


def test_a_token_that_may_not_ask_the_node_waits_by_kongs_defaults(admin: Admin, clock: Clock) -> None:
    client = client_of(admin)
    admin.answers = [(403, {"message": "no"})]
    entity_changes.wait(client)
    assert clock.now == 10.5
    admin.answers = [(400, {"message": "no"})]
    with pytest.raises(HookFailed):
        entity_changes.wait(client)


@pytest.mark.parametrize(("kind", "id_"), [("route", "r-1"), ("service", "s-1")])
@pytest.mark.parametrize("by_id", [False, True])
def test_it_is_bound_to_the_route_or_service_that_is_named(
    admin: Admin, clock: Clock, kind: str, id_: str, by_id: bool
) -> None:
    admin.routes, admin.services = {"orders": "r-1"}, {"orders": "s-1"}
    at = place(**{kind: id_ if by_id else "orders"})
    stands(admin)
    assert put(admin, at) == at.id, "the one for all routes is another"
    assert admin.rows[at.id][kind] == {"id": id_}
    with pytest.raises(AdminError, match=f"There is no {kind} gone in the workspace default"):
        put(admin, place(**{kind: "gone"}))


def test_another_scope_is_a_change_of_the_same_row(admin: Admin, clock: Clock) -> None:
    admin.routes = {"orders": "r-1"}
    id_ = put(admin)
    assert put(admin, place(route="orders"), id_=id_) == id_
    assert [(row["id"], row["route"]) for row in admin.rows.values()] == [(id_, {"id": "r-1"})]
    assert put(admin) == id_, "by its mark, where nobody knows the id any more"
    assert [row.get("route") for row in admin.rows.values()] == [None]


@pytest.mark.parametrize("adopt", [False, True])
def test_a_row_does_not_move_to_where_somebody_elses_stands(admin: Admin, clock: Clock, adopt: bool) -> None:
    admin.routes = {"orders": "r-1"}
    id_ = put(admin)
    before = stands(admin, route={"id": "r-1"})
    with pytest.raises(OwnershipConflict, match=rf"{THEIRS}.*own row \({id_}\) was to move there"):
        put(admin, place(route="orders"), adopt=adopt, id_=id_)
    assert admin.rows[THEIRS] == before


def test_somebody_elses_row_is_refused_with_its_id_and_the_way_out(admin: Admin, clock: Clock) -> None:
    before = stands(admin)
    with pytest.raises(OwnershipConflict, match=rf"{THEIRS}.*did not make it.*kong\.admin\.adopt true"):
        put(admin)
    assert admin.rows == {THEIRS: before}


def test_it_is_taken_over_where_it_stands(admin: Admin, clock: Clock) -> None:
    stands(admin)
    assert put(admin, adopt=True) == THEIRS
    assert (admin.rows[THEIRS]["tags"], admin.rows[THEIRS]["config"]["mode"]) == ([place().tag], "sync")
    assert put(admin) == THEIRS, "by its mark"
    assert put(admin, id_=THEIRS) == THEIRS
    assert [method for method, _ in admin.asked if method != "GET"] == ["PUT"] * 3, "without a gap"


@pytest.mark.parametrize("adopt", [False, True])
def test_another_stacks_row_is_never_taken_over(admin: Admin, clock: Clock, adopt: bool) -> None:
    before = stands(admin, tags=["traceable-kong:traceable-kong.prod"])
    for id_ in (None, THEIRS):
        with pytest.raises(OwnershipConflict, match=r"belongs to the stack traceable-kong\.prod"):
            put(admin, adopt=adopt, id_=id_)
    assert admin.rows == {THEIRS: before}


@pytest.mark.parametrize("adopt", [False, True])
def test_a_row_with_our_id_that_changed_hands_is_not_written_over(admin: Admin, clock: Clock, adopt: bool) -> None:
    before = stands(admin, tags=["traceable-kong:traceable-kong.prod"], route={"id": "r-2"})
    with pytest.raises(OwnershipConflict, match=rf"{THEIRS}.*belongs to the stack traceable-kong\.prod"):
        put(admin, adopt=adopt, id_=THEIRS)
    assert admin.rows == {THEIRS: before}


@pytest.mark.parametrize("adopt", [False, True])
def test_a_row_in_the_place_of_our_own_is_not_taken_over_unseen(admin: Admin, clock: Clock, adopt: bool) -> None:
    stands(admin)
    with pytest.raises(OwnershipConflict, match=rf"{THEIRS}.*this stack's own \({place().id}\).*pulumi refresh"):
        put(admin, adopt=adopt, id_=place().id)


def test_one_that_lost_its_mark_or_its_place_is_put_right(admin: Admin, clock: Clock) -> None:
    admin.routes = {"orders": "r-1"}
    id_ = put(admin)
    admin.rows[id_].update(tags=None, route={"id": "r-1"})
    assert put(admin, id_=id_) == id_
    assert (admin.rows[id_]["tags"], admin.rows[id_]["route"]) == ([place().tag], None)


def test_one_that_comes_in_between_is_named_in_kongs_words(admin: Admin, clock: Clock) -> None:
    def list_nothing(request: Any) -> tuple[int, Any]:
        del admin.answer  # type: ignore[method-assign]
        stands(admin)
        return 200, {"data": [], "next": None}

    admin.answer = list_nothing  # type: ignore[method-assign]
    with pytest.raises(OwnershipConflict, match=r"has just written.*UNIQUE violation"):
        put(admin)


def test_a_workspace_of_its_own(admin: Admin, clock: Clock) -> None:
    admin.plugins["team"] = {}
    stands(admin)
    at = place(workspace="team")
    assert put(admin, at) == at.id
    assert list(admin.plugins["team"]) == [at.id] and list(admin.rows) == [THEIRS]
    with pytest.raises(HookFailed, match="Workspace 'none' not found"):
        put(admin, place(workspace="none"))


def test_what_stands_there_whoever_wrote_it(admin: Admin, clock: Clock) -> None:
    admin.routes = {"orders": "r-1"}
    id_ = put(admin)
    other = stands(admin, route={"id": "r-1"})
    stands(admin, "3", name="cors")
    found = entity_changes.look(client_of(admin), place())
    assert found.row is not None and found.row["id"] == id_
    assert found.others == (other,)
    assert entity_changes.look(client_of(admin), place(route="gone")).bound is None
    assert entity_changes.look(client_of(admin), place(route="orders")).row == found.row, "ours, and elsewhere"


def test_another_stacks_row_stays(admin: Admin, clock: Clock) -> None:
    stands(admin, tags=["traceable-kong:other"])
    entity_changes.take_out(client_of(admin), place(), THEIRS)
    assert list(admin.rows) == [THEIRS]


def test_a_copy_with_our_mark_is_not_taken_for_the_row_and_goes_with_it(admin: Admin, clock: Clock) -> None:
    admin.routes = {"orders": "r-1"}
    id_ = put(admin)
    stands(admin, tags=[place().tag], route={"id": "r-1"})
    for known in (id_, None):
        assert put(admin, id_=known) == id_
    entity_changes.take_out(client_of(admin), place(), id_)
    assert admin.rows == {}, "a Kong that starts with it, and without the files, does not start"


def test_of_a_workspace_that_is_gone_nothing_is_left(admin: Admin, clock: Clock) -> None:
    at = place(workspace="team")
    assert entity_changes.take_out(client_of(admin, "team"), at, at.id) == []
    admin.answers = [(403, {"message": "no"})]
    with pytest.raises(HookFailed):
        entity_changes.take_out(client_of(admin, "team"), at, at.id)


def test_all_of_ours_go_and_nothing_else(admin: Admin, clock: Clock) -> None:
    admin.routes = {"orders": "r-1"}
    ids = {put(admin), put(admin, place(route="orders"))}
    stands(admin, route={"id": "r-2"})
    assert set(entity_changes.take_out(client_of(admin), place())) == ids
    assert list(admin.rows) == [THEIRS]
    assert clock.now > 0
