"""What the engine is told of the row: created, read, compared, and gone."""

import json
import pickle
import sys
from typing import Any

import pytest
from pulumi import dynamic

from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.kong_admin.gateway import DEPLOYMENT, access, add_secret, cluster
from tests.kong_admin.server import Admin
from tests.kong_admin.test_plugin_target import place
from traceable_kong.cluster import kubeconfig
from traceable_kong.kong_admin import admin_endpoint as module
from traceable_kong.kong_admin import entity_changes
from traceable_kong.kong_admin.admin_listen import AdminError
from traceable_kong.providers.plugin_entity_provider import RowProvider

PROPS: dict[str, Any] = {
    "workspace": "default",
    "plugin": "traceable",
    "route": "",
    "service": "",
    "owner": place().owner,
    "enabled": True,
    # As the engine hands it over.
    "config": {"mode": "sync", "timeout": 500.0, "nested": {"a": 1.0}},
    "access": access().document(),
    "adopt": False,
    "managedDatabase": False,
    "gateway": "4",
    "changedByHand": "",
}


@pytest.fixture
def fake(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> FakeKubernetes:
    found = cluster(admin)
    monkeypatch.setattr(kubeconfig, "connect", lambda **_: found)
    monkeypatch.setattr(entity_changes, "MARGIN_SECONDS", 0.0)
    monkeypatch.setattr(module.client, "__kwdefaults__", {"deadline_seconds": 0.2})
    return found


def test_created_read_and_deleted(admin: Admin, fake: FakeKubernetes) -> None:
    made = RowProvider().create(PROPS)
    assert (made.id, made.outs) == (place().id, PROPS)
    seen = RowProvider().read(str(made.id), made.outs or {})
    assert (seen.id, seen.outs, seen.inputs) == (made.id, PROPS, PROPS)
    assert RowProvider().diff("", seen.outs or {}, PROPS).changes is False, "Kong's own defaults are no change"
    RowProvider().delete(str(made.id), made.outs or {})
    assert admin.rows == {}
    RowProvider().delete(str(made.id), made.outs or {})


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda row: row.update(enabled=False), "enabled"),
        (lambda row: row["config"].update(mode="async"), "config"),
        (lambda row: row["config"]["nested"].update(a=2), "config"),
        (lambda row: row["config"].pop("timeout"), "config"),
        (lambda row: row.update(route={"id": "r"}), "changedByHand"),
        (lambda row: row.update(tags=[]), "changedByHand"),
        (lambda row: row.update(protocols=["tcp"]), "changedByHand"),
        (lambda row: row["config"].update(max_body_size_bytes=1), "changedByHand"),
    ],
)
def test_a_refresh_sees_what_was_changed_by_hand_and_the_next_up_mends_it(
    admin: Admin, fake: FakeKubernetes, change: Any, key: str
) -> None:
    id_ = str(RowProvider().create(PROPS).id)
    before = json.dumps(admin.rows[id_])
    change(admin.rows[id_])
    seen = RowProvider().read(id_, PROPS)
    assert [name for name in PROPS if (seen.outs or {})[name] != PROPS[name]] == [key]
    assert seen.inputs == seen.outs, "the preview shows what differs"
    found = RowProvider().diff(id_, seen.outs or {}, PROPS)
    assert (found.changes, found.replaces) == (True, [])
    assert RowProvider().update(id_, seen.outs or {}, PROPS).outs == PROPS
    assert json.loads(before) == admin.rows[id_]


def test_one_that_was_removed_by_hand_is_no_resource_any_more(admin: Admin, fake: FakeKubernetes) -> None:
    id_ = str(RowProvider().create(PROPS).id)
    admin.rows.clear()
    assert not RowProvider().read(id_, PROPS).id
    RowProvider().update("as-it-was-taken-over", PROPS, PROPS)
    assert list(admin.rows) == ["as-it-was-taken-over"], "without a refresh as well, and the engine knows it by that"


@pytest.mark.parametrize("way", ["forward", "secret", "url"])
def test_where_the_gateway_was_removed_by_hand_a_refresh_goes_on_and_the_next_up_writes_the_row(
    admin: Admin, fake: FakeKubernetes, way: str
) -> None:
    id_ = str(RowProvider().create(PROPS).id)
    del fake.objects[DEPLOYMENT]
    others = {"forward": {}, "secret": {"tokenSecret": "gone/token"}, "url": {"url": "http://127.0.0.1:1"}}
    props = {**PROPS, "access": {**PROPS["access"], **others[way]}}
    seen = RowProvider().read(id_, props)
    assert (seen.id, seen.outs) == (id_, {**props, "gateway": ""})
    assert seen.inputs == seen.outs
    # Helm counts from 1 again, and a database of ours is as new.
    assert RowProvider().diff(id_, seen.outs or {}, props).changes is True


def test_where_kong_does_not_answer_a_refresh_says_so(admin: Admin, fake: FakeKubernetes) -> None:
    id_ = str(RowProvider().create(PROPS).id)
    fake.listeners.clear()
    with pytest.raises(AdminError, match="does not answer"):
        RowProvider().read(id_, PROPS)


@pytest.mark.parametrize("gone", ["deployment", "pods", "secret", "answers"])
def test_a_kong_that_cannot_be_reached_does_not_hang_a_destroy(admin: Admin, fake: FakeKubernetes, gone: str) -> None:
    add_secret(fake, "kong-admin", token="t")
    props = {**PROPS, "access": {**PROPS["access"], "tokenSecret": "kong-admin/token"}}
    id_ = str(RowProvider().create(props).id)
    if gone == "deployment":
        del fake.objects[DEPLOYMENT]
    elif gone == "pods":
        del fake.objects["/api/v1/namespaces/gw/pods/gw-1"]
    elif gone == "secret":
        del fake.objects["/api/v1/namespaces/gw/secrets/kong-admin"]
    else:
        fake.listeners.clear()
    with pytest.raises(AdminError, match=rf"The row {id_} could not be taken out.*Bring Kong back"):
        RowProvider().delete(id_, props)
    RowProvider().delete(id_, {**props, "managedDatabase": True})
    assert list(admin.rows) == [id_], "it goes with its database"


@pytest.mark.parametrize(
    ("key", "value", "replaces"),
    [
        ("enabled", False, []),
        ("config", {"mode": "async"}, []),
        ("access", access(url="http://kong:8001").document(), []),
        ("managedDatabase", True, []),
        ("gateway", "5", []),
        ("workspace", "team", ["workspace"]),
        ("plugin", "other", ["plugin"]),
        ("route", "orders", []),
        ("service", "orders", []),
        ("owner", "traceable-kong.prod", ["owner"]),
    ],
)
def test_what_is_a_change(key: str, value: object, replaces: list[str]) -> None:
    found = RowProvider().diff("", PROPS, {**PROPS, key: value})
    assert (found.changes, found.replaces, found.delete_before_replace) == (True, replaces, True)


def test_whether_to_take_a_row_over_is_no_change_of_it() -> None:
    assert RowProvider().diff("", PROPS, {**PROPS, "adopt": True}).changes is False


def test_what_is_pickled_into_the_state_is_a_name() -> None:
    assert vars(RowProvider()) == {}
    assert len(pickle.dumps(RowProvider())) < 100


def test_the_cluster_is_the_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def connect(**given: Any) -> FakeKubernetes:
        asked.append(given)
        return FakeKubernetes()

    monkeypatch.setattr(kubeconfig, "connect", connect)
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)
    provider = RowProvider()
    config = dynamic.Config({"kubernetes:kubeconfig": "text", "kubernetes:context": "prod"}, "traceable-kong")
    provider.configure(dynamic.ConfigureRequest(config=config))
    provider._client(PROPS)
    assert (asked, sys.tracebacklimit) == ([{"kubeconfig": "text", "context": "prod"}], 0)
