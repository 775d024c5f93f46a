"""The plugin entity is written, adopted, read and deleted, and every node has time to load the change."""

from typing import Any

import pytest

from tests.fakes.admin_api import Admin
from tests.fakes.clock import Clock
from tests.kong_admin.test_plugin_target import target
from traceable_kong.kong_admin import entity_changes
from traceable_kong.kong_admin.admin_client import AdminClient
from traceable_kong.kong_admin.admin_connection import Tls, to_url
from traceable_kong.kong_admin.admin_errors import AdminError, ErrorResponse, OwnershipConflict
from traceable_kong.kong_admin.plugin_target import PluginTarget

CONFIG = {"mode": "sync", "timeout": 500.0}
OTHER = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(entity_changes, "time", made)
    return made


def client_of(admin: Admin, workspace: str = "default") -> AdminClient:
    return AdminClient(to_url(admin.url, Tls()), workspace=workspace, deadline_seconds=2.0)


def put(admin: Admin, at: PluginTarget | None = None, **options: Any) -> str:
    where = at or target()
    given = {"enabled": True, "config": CONFIG, "adopt": False, "id_": None, **options}
    return entity_changes.write_entity(client_of(admin, where.workspace), where, **given)


def other_entity(admin: Admin, id_: str = OTHER, **fields: Any) -> dict[str, Any]:
    """An entity that is not managed by this stack."""
    entity = {"id": id_, "name": "traceable", "enabled": True, "config": {"mode": "async"}, "tags": None, **fields}
    admin.entities[id_] = entity
    return entity


def test_writing_twice_leaves_one_entity_with_the_id_of_the_target(admin: Admin, clock: Clock) -> None:
    assert put(admin) == put(admin) == target().id
    (entity,) = admin.entities.values()
    assert (entity["id"], entity["name"], entity["enabled"], entity["tags"]) == (
        target().id,
        "traceable",
        True,
        [target().tag],
    )
    assert repr(entity["config"]) == "{'default_of_kongs': 1, 'mode': 'sync', 'timeout': 500}"


@pytest.mark.parametrize(
    ("configuration", "seconds"),
    [
        ({}, 10.5),
        ({"db_update_frequency": 2, "db_update_propagation": 1, "worker_state_update_frequency": 4}, 7.5),
        ({"db_update_frequency": 2, "worker_consistency": "strict", "worker_state_update_frequency": 4}, 2.5),
        ({"db_update_frequency": "x", "db_update_propagation": None, "worker_state_update_frequency": -1}, 10.5),
        ({"db_update_frequency": 10**400}, 10.5),
    ],
)
def test_it_waits_until_every_node_has_had_time_to_load_the_change(
    admin: Admin, clock: Clock, configuration: dict[str, Any], seconds: float
) -> None:
    admin.configuration = configuration
    id_ = put(admin)
    assert clock.now == seconds
    entity_changes.delete_entities(client_of(admin), target(), id_)
    assert (clock.now, admin.entities) == (2 * seconds, {})
    entity_changes.delete_entities(client_of(admin), target(), id_)
    assert clock.now == 3 * seconds, "an interrupted update may have deleted it a moment ago"


def test_a_kong_without_the_files_has_not_loaded_an_entity_that_was_deleted_before(admin: Admin, clock: Clock) -> None:
    admin.available = {"key-auth": "3.9.1"}
    entity_changes.delete_entities(client_of(admin), target(), target().id)
    assert clock.now == 0
    put(admin)
    waited = clock.now
    entity_changes.delete_entities(client_of(admin), target(), target().id)
    assert clock.now == 2 * waited, "one that is deleted now may be loaded on another node"


def test_an_entity_that_was_loaded_and_has_not_changed_is_not_written(admin: Admin, clock: Clock) -> None:
    id_ = put(admin)
    requests, waited = len(admin.requests), clock.now
    assert put(admin, id_=id_, is_loaded=True) == id_
    assert "PUT" not in [item.method for item in admin.requests[requests:]]
    assert clock.now == waited


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": False},
        {"config": {**CONFIG, "mode": "async"}},
        {"config": {**CONFIG, "buffer_request_body": False}},
        {"tags": ["of-another-client"]},
        {"protocols": ["grpc"]},
        {"route": {"id": "r-1"}},
    ],
)
def test_an_entity_that_was_changed_is_written_again(admin: Admin, clock: Clock, change: dict[str, Any]) -> None:
    id_ = put(admin)
    admin.entities[id_].update(change)
    waited = clock.now
    put(admin, id_=id_, is_loaded=True)
    assert admin.requests[-2].method == "PUT" and clock.now > waited


def test_an_entity_is_written_again_where_kong_shows_no_schema(admin: Admin, clock: Clock) -> None:
    id_ = put(admin)
    requests = len(admin.requests)
    client = client_of(admin)
    admin.answers = [(200, {"data": list(admin.entities.values()), "next": None}), (403, {"message": "no"})]
    given: dict[str, Any] = {"enabled": True, "config": CONFIG, "adopt": False, "id_": id_, "is_loaded": True}
    entity_changes.write_entity(client, target(), **given)
    assert "PUT" in [item.method for item in admin.requests[requests:]]


@pytest.mark.parametrize(
    ("frequency", "waited", "said"),
    [(5, 10.5, ""), (20, 25.5, "Waiting 26 s, by Kong's own settings"), (3600, 120, "after 3606 s. Waiting 120 s;")],
)
def test_a_long_wait_has_a_ceiling_and_is_said(
    admin: Admin, clock: Clock, capsys: pytest.CaptureFixture[str], frequency: int, waited: float, said: str
) -> None:
    admin.configuration = {"db_update_frequency": frequency, "worker_state_update_frequency": 5}
    put(admin)
    assert clock.now == waited
    printed = capsys.readouterr().out
    assert said in printed if said else printed == ""


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_no_path_can_end_with_does_not_exist(admin: Admin, clock: Clock, name: str) -> None:
    with pytest.raises(AdminError, match=r"There is no route \.+ in Kong's workspace default"):
        put(admin, target(route=name))


def test_a_name_in_another_alphabet(admin: Admin, clock: Clock) -> None:
    admin.routes = {"gr%C3%B6%C3%9Fe": "r-1"}
    put(admin, target(route="größe"))
    assert [entity["route"] for entity in admin.entities.values()] == [{"id": "r-1"}]


def test_it_waits_by_kongs_defaults_where_the_token_may_not_read_the_node(admin: Admin, clock: Clock) -> None:
    client = client_of(admin)
    admin.answers = [(403, {"message": "no"})]
    entity_changes.wait_for_nodes(client)
    assert clock.now == 10.5
    admin.answers = [(400, {"message": "no"})]
    with pytest.raises(ErrorResponse):
        entity_changes.wait_for_nodes(client)


@pytest.mark.parametrize(("kind", "id_"), [("route", "r-1"), ("service", "s-1")])
@pytest.mark.parametrize("by_id", [False, True])
def test_it_is_bound_to_the_route_or_service_of_the_target(
    admin: Admin, clock: Clock, kind: str, id_: str, by_id: bool
) -> None:
    admin.routes, admin.services = {"orders": "r-1"}, {"orders": "s-1"}
    at = target(**{kind: id_ if by_id else "orders"})
    other_entity(admin)
    assert put(admin, at) == at.id, "the entity for all routes is another one"
    assert admin.entities[at.id][kind] == {"id": id_}
    with pytest.raises(AdminError, match=f"There is no {kind} gone in Kong's workspace default"):
        put(admin, target(**{kind: "gone"}))


def test_another_scope_changes_the_same_entity(admin: Admin, clock: Clock) -> None:
    admin.routes = {"orders": "r-1"}
    id_ = put(admin)
    assert put(admin, target(route="orders"), id_=id_) == id_
    assert [(item["id"], item["route"]) for item in admin.entities.values()] == [(id_, {"id": "r-1"})]
    assert put(admin) == id_, "by its tag, where the state does not have the id"
    assert [item.get("route") for item in admin.entities.values()] == [None]


@pytest.mark.parametrize("adopt", [False, True])
def test_the_entity_is_not_moved_to_where_another_one_is(admin: Admin, clock: Clock, adopt: bool) -> None:
    admin.routes = {"orders": "r-1"}
    id_ = put(admin)
    before = other_entity(admin, route={"id": "r-1"})
    with pytest.raises(OwnershipConflict, match=rf"{OTHER}.*own entity \({id_}\) cannot be moved there"):
        put(admin, target(route="orders"), adopt=adopt, id_=id_)
    assert admin.entities[OTHER] == before


def test_an_entity_that_is_not_managed_by_this_stack_is_not_replaced(admin: Admin, clock: Clock) -> None:
    before = other_entity(admin)
    with pytest.raises(OwnershipConflict, match=rf"{OTHER}.*not managed by this stack.*kong\.admin\.adopt true"):
        put(admin)
    assert admin.entities == {OTHER: before}


def test_an_adopted_entity_keeps_its_id(admin: Admin, clock: Clock) -> None:
    other_entity(admin)
    assert put(admin, adopt=True) == OTHER
    assert (admin.entities[OTHER]["tags"], admin.entities[OTHER]["config"]["mode"]) == ([target().tag], "sync")
    assert put(admin) == OTHER, "by its tag"
    assert put(admin, id_=OTHER) == OTHER
    assert [method for method, _ in admin.asked if method != "GET"] == ["PUT"] * 3, "it is never deleted in between"


@pytest.mark.parametrize("adopt", [False, True])
def test_the_entity_of_another_stack_is_never_adopted(admin: Admin, clock: Clock, adopt: bool) -> None:
    before = other_entity(admin, tags=["traceable-kong:traceable-kong.prod"])
    for id_ in (None, OTHER):
        with pytest.raises(OwnershipConflict, match=r"belongs to the stack traceable-kong\.prod"):
            put(admin, adopt=adopt, id_=id_)
    assert admin.entities == {OTHER: before}


@pytest.mark.parametrize("adopt", [False, True])
def test_an_entity_that_another_stack_has_adopted_is_not_replaced(admin: Admin, clock: Clock, adopt: bool) -> None:
    before = other_entity(admin, tags=["traceable-kong:traceable-kong.prod"], route={"id": "r-2"})
    with pytest.raises(OwnershipConflict, match=rf"{OTHER}.*belongs to the stack traceable-kong\.prod"):
        put(admin, adopt=adopt, id_=OTHER)
    assert admin.entities == {OTHER: before}


@pytest.mark.parametrize("adopt", [False, True])
def test_an_entity_in_place_of_a_deleted_one_is_not_adopted_without_a_refresh(
    admin: Admin, clock: Clock, adopt: bool
) -> None:
    other_entity(admin)
    with pytest.raises(OwnershipConflict, match=rf"{OTHER}.*this stack's own entity \({target().id}\).*pulumi refresh"):
        put(admin, adopt=adopt, id_=target().id)


def test_a_lost_tag_or_scope_is_restored(admin: Admin, clock: Clock) -> None:
    admin.routes = {"orders": "r-1"}
    id_ = put(admin)
    admin.entities[id_].update(tags=None, route={"id": "r-1"})
    assert put(admin, id_=id_) == id_
    assert (admin.entities[id_]["tags"], admin.entities[id_]["route"]) == ([target().tag], None)


def test_an_entity_created_at_the_same_time_is_reported_with_kongs_message(admin: Admin, clock: Clock) -> None:
    def list_nothing(request: Any) -> tuple[int, Any]:
        del admin.answer
        other_entity(admin)
        return 200, {"data": [], "next": None}

    admin.answer = list_nothing  # type: ignore[method-assign]
    with pytest.raises(OwnershipConflict, match=r"has just created.*UNIQUE violation"):
        put(admin)


def test_each_workspace_has_its_own_entity(admin: Admin, clock: Clock) -> None:
    admin.plugins["team"] = {}
    other_entity(admin)
    at = target(workspace="team")
    assert put(admin, at) == at.id
    assert list(admin.plugins["team"]) == [at.id] and list(admin.entities) == [OTHER]
    with pytest.raises(ErrorResponse, match="Workspace 'none' not found"):
        put(admin, target(workspace="none"))


def test_the_entities_of_the_plugin_are_found_whoever_owns_them(admin: Admin, clock: Clock) -> None:
    admin.routes = {"orders": "r-1"}
    id_ = put(admin)
    found_other = other_entity(admin, route={"id": "r-1"})
    other_entity(admin, "3", name="cors")
    found = entity_changes.find_entity(client_of(admin), target())
    assert found.entity is not None and found.entity["id"] == id_
    assert found.others == (found_other,)
    assert entity_changes.find_entity(client_of(admin), target(route="gone")).scope is None
    assert entity_changes.find_entity(client_of(admin), target(route="orders")).entity == found.entity, "with any scope"


def test_the_entity_of_another_stack_is_not_deleted(admin: Admin, clock: Clock) -> None:
    other_entity(admin, tags=["traceable-kong:other"])
    entity_changes.delete_entities(client_of(admin), target(), OTHER)
    assert list(admin.entities) == [OTHER]


def test_a_copy_with_the_tag_is_not_updated_and_is_deleted_too(admin: Admin, clock: Clock) -> None:
    admin.routes = {"orders": "r-1"}
    id_ = put(admin)
    other_entity(admin, tags=[target().tag], route={"id": "r-1"})
    for known in (id_, None):
        assert put(admin, id_=known) == id_
    entity_changes.delete_entities(client_of(admin), target(), id_)
    assert admin.entities == {}, "a Kong that starts with it, and without the files, does not start"


def test_a_deleted_workspace_has_no_entities(admin: Admin, clock: Clock) -> None:
    at = target(workspace="team")
    assert entity_changes.delete_entities(client_of(admin, "team"), at, at.id) == []
    admin.answers = [(403, {"message": "no"})]
    with pytest.raises(ErrorResponse):
        entity_changes.delete_entities(client_of(admin, "team"), at, at.id)


def test_all_entities_of_the_stack_are_deleted_and_no_others(admin: Admin, clock: Clock) -> None:
    admin.routes = {"orders": "r-1"}
    ids = {put(admin), put(admin, target(route="orders"))}
    other_entity(admin, route={"id": "r-2"})
    assert set(entity_changes.delete_entities(client_of(admin), target())) == ids
    assert list(admin.entities) == [OTHER]
    assert clock.now > 0
