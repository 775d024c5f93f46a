"""The dynamic provider of the plugin entity: create, read, diff, update and delete."""

import json
import pickle
from typing import Any

import pytest

from tests.fakes.admin_api import Admin
from tests.fakes.admin_api_cluster import DEPLOYMENT, add_secret, cluster, endpoint
from tests.fakes.clock import Clock
from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.kong_admin.test_plugin_target import target
from traceable_kong.kong_admin import admin_endpoint as module
from traceable_kong.kong_admin import entity_changes
from traceable_kong.kong_admin.admin_errors import AdminError
from traceable_kong.providers.plugin_entity_provider import PluginEntityProvider

PROPS: dict[str, Any] = {
    "workspace": "default",
    "plugin": "traceable",
    "route": "",
    "service": "",
    "owner": target().owner,
    "enabled": True,
    # As the engine hands it over.
    "config": {"mode": "sync", "timeout": 500.0, "nested": {"a": 1.0}},
    "endpoint": endpoint().document(),
    "adopt": False,
    "managedDatabase": False,
    "existingKong": False,
    "gateway": "4",
    "changedByHand": "",
}


@pytest.fixture
def fake(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> FakeKubernetes:
    found = cluster(admin)
    monkeypatch.setattr("traceable_kong.cluster.target.connect", lambda **_: found)
    monkeypatch.setattr(entity_changes, "MARGIN_SECONDS", 0.0)
    monkeypatch.setattr(module.client, "__kwdefaults__", {"deadline_seconds": 0.2})
    return found


def test_create_read_and_delete(admin: Admin, fake: FakeKubernetes) -> None:
    made = PluginEntityProvider().create(PROPS)
    assert (made.id, made.outs) == (target().id, PROPS)
    seen = PluginEntityProvider().read(str(made.id), made.outs or {})
    assert (seen.id, seen.outs, seen.inputs) == (made.id, PROPS, PROPS)
    assert PluginEntityProvider().diff("", seen.outs or {}, PROPS).changes is False, "Kong's own defaults are no change"
    PluginEntityProvider().delete(str(made.id), made.outs or {})
    assert admin.entities == {}
    PluginEntityProvider().delete(str(made.id), made.outs or {})


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda entity: entity.update(enabled=False), "enabled"),
        (lambda entity: entity["config"].update(mode="async"), "config"),
        (lambda entity: entity["config"]["nested"].update(a=2), "config"),
        (lambda entity: entity["config"].pop("timeout"), "config"),
        (lambda entity: entity.update(route={"id": "r"}), "changedByHand"),
        (lambda entity: entity.update(tags=[]), "changedByHand"),
        (lambda entity: entity.update(protocols=["tcp"]), "changedByHand"),
        (lambda entity: entity["config"].update(max_body_size_bytes=1), "changedByHand"),
    ],
)
def test_a_refresh_sees_what_was_changed_by_hand_and_the_next_update_repairs_it(
    admin: Admin, fake: FakeKubernetes, change: Any, key: str
) -> None:
    id_ = str(PluginEntityProvider().create(PROPS).id)
    before = json.dumps(admin.entities[id_])
    change(admin.entities[id_])
    seen = PluginEntityProvider().read(id_, PROPS)
    assert [name for name in PROPS if (seen.outs or {})[name] != PROPS[name]] == [key]
    assert seen.inputs == seen.outs, "the preview shows what differs"
    found = PluginEntityProvider().diff(id_, seen.outs or {}, PROPS)
    assert (found.changes, found.replaces) == (True, [])
    assert PluginEntityProvider().update(id_, seen.outs or {}, PROPS).outs == PROPS
    assert json.loads(before) == admin.entities[id_]


def test_a_new_revision_of_kong_alone_does_not_write_the_entity(admin: Admin, fake: FakeKubernetes) -> None:
    id_ = str(PluginEntityProvider().create(PROPS).id)

    def writes(olds: dict[str, Any]) -> bool:
        before = len(admin.requests)
        PluginEntityProvider().update(id_, olds, PROPS)
        return "PUT" in [item.method for item in admin.requests[before:]]

    assert not writes({**PROPS, "gateway": "3"})
    assert writes({**PROPS, "enabled": False}), "an interrupted update may have written it a moment ago"
    admin.entities.clear()
    assert writes({**PROPS, "gateway": "3"}), "the new Kong has another database"


@pytest.mark.parametrize("existing", [False, True])
def test_only_a_kong_that_stays_is_waited_for(
    admin: Admin, fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    props = {**PROPS, "existingKong": existing}
    id_ = str(PluginEntityProvider().create(props).id)
    clock = Clock()
    monkeypatch.setattr(entity_changes, "time", clock)
    PluginEntityProvider().delete(id_, props)
    assert admin.entities == {}
    assert (clock.now > 0) is existing


def test_an_entity_that_was_deleted_by_hand_is_removed_from_the_state(admin: Admin, fake: FakeKubernetes) -> None:
    id_ = str(PluginEntityProvider().create(PROPS).id)
    admin.entities.clear()
    assert not PluginEntityProvider().read(id_, PROPS).id
    PluginEntityProvider().update("adopted-id", PROPS, PROPS)
    assert list(admin.entities) == ["adopted-id"], "an update without a refresh writes it with the id in the state"


@pytest.mark.parametrize("way", ["forward", "secret", "url"])
def test_a_refresh_without_a_gateway_succeeds_and_the_next_update_writes_the_entity(
    admin: Admin, fake: FakeKubernetes, way: str
) -> None:
    id_ = str(PluginEntityProvider().create(PROPS).id)
    del fake.objects[DEPLOYMENT]
    others = {"forward": {}, "secret": {"tokenSecret": "gone/token"}, "url": {"url": "http://127.0.0.1:1"}}
    props = {**PROPS, "endpoint": {**PROPS["endpoint"], **others[way]}}
    seen = PluginEntityProvider().read(id_, props)
    assert (seen.id, seen.outs) == (id_, {**props, "gateway": ""})
    assert seen.inputs == seen.outs
    # Helm counts from 1 again, and a managed database is new.
    assert PluginEntityProvider().diff(id_, seen.outs or {}, props).changes is True


def test_a_refresh_fails_where_kong_does_not_answer(admin: Admin, fake: FakeKubernetes) -> None:
    id_ = str(PluginEntityProvider().create(PROPS).id)
    fake.listeners.clear()
    with pytest.raises(AdminError, match="does not answer"):
        PluginEntityProvider().read(id_, PROPS)


@pytest.mark.parametrize("gone", ["deployment", "pods", "secret", "answers"])
def test_a_destroy_fails_in_time_where_kong_cannot_be_reached(admin: Admin, fake: FakeKubernetes, gone: str) -> None:
    add_secret(fake, "kong-admin", token="t")
    props = {**PROPS, "endpoint": {**PROPS["endpoint"], "tokenSecret": "kong-admin/token"}}
    id_ = str(PluginEntityProvider().create(props).id)
    if gone == "deployment":
        del fake.objects[DEPLOYMENT]
    elif gone == "pods":
        del fake.objects["/api/v1/namespaces/gw/pods/gw-1"]
    elif gone == "secret":
        del fake.objects["/api/v1/namespaces/gw/secrets/kong-admin"]
    else:
        fake.listeners.clear()
    with pytest.raises(AdminError, match=rf"Plugin entity {id_} could not be deleted.*Repair Kong"):
        PluginEntityProvider().delete(id_, props)
    PluginEntityProvider().delete(id_, {**props, "managedDatabase": True})
    assert list(admin.entities) == [id_], "it is deleted with its database"


@pytest.mark.parametrize(
    ("key", "value", "replaces"),
    [
        ("enabled", False, []),
        ("config", {"mode": "async"}, []),
        ("endpoint", endpoint(url="http://kong:8001").document(), []),
        ("managedDatabase", True, []),
        ("existingKong", True, []),
        ("gateway", "5", []),
        ("workspace", "team", ["workspace"]),
        ("plugin", "other", ["plugin"]),
        ("route", "orders", []),
        ("service", "orders", []),
        ("owner", "traceable-kong.prod", ["owner"]),
    ],
)
def test_which_properties_update_and_which_replace(key: str, value: object, replaces: list[str]) -> None:
    found = PluginEntityProvider().diff("", PROPS, {**PROPS, key: value})
    assert (found.changes, found.replaces, found.delete_before_replace) == (True, replaces, True)


def test_adopt_alone_is_no_change() -> None:
    assert PluginEntityProvider().diff("", PROPS, {**PROPS, "adopt": True}).changes is False


def test_only_the_name_of_the_class_is_pickled_into_the_state() -> None:
    assert vars(PluginEntityProvider()) == {}
    assert len(pickle.dumps(PluginEntityProvider())) < 100
