"""The plugin's row, asked of a Kong that runs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kong_admin.server import Admin, serving
from tests.preflight.fake import OWNER, FakeKubernetes, container, kong_stands, passes, record_stands, refused, warned
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.kong_admin import admin_client
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.preflight import cached_reader
from traceable_kong.preflight.intent import RowIntent

THEIRS = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def admin(kube: FakeKubernetes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Admin]:
    monkeypatch.setattr(admin_client, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(cached_reader, "ENTITIES_SECONDS", 0.2)
    volumes = {"kong-plugin-traceable": "files"}
    kong_stands(kube, container(KONG_DATABASE="postgres"), volumes=volumes)
    kube.put("/api/v1/namespaces/kong/configmaps/files", {}, ours=True)
    with serving() as made:
        yield made


def place(**changes: Any) -> PluginTarget:
    return PluginTarget(**{"workspace": "default", "plugin": "traceable", "owner": OWNER, **changes})


def row(admin: Admin, *, adopt: bool = False, **changes: Any) -> dict[str, Any]:
    """An intent whose row is there."""
    at = place(**changes)
    access = AdminEndpoint(
        deployment=KongDeployment(namespace="kong", name="quickstart-kong", container="proxy"),
        url=admin.url,
        workspace=at.workspace,
    )
    return {
        "gateway__database": "postgres",
        "plugin__object_name": None,
        "row": RowIntent(place=at, access=access, adopt=adopt),
    }


def stands(admin: Admin, id_: str = THEIRS, **fields: Any) -> None:
    admin.entities[id_] = {"id": id_, "name": "traceable", "enabled": True, "config": {}, "tags": None, **fields}


def ours(admin: Admin, **fields: Any) -> None:
    stands(admin, place().id, **{"tags": [place().tag], **fields})


def test_a_place_that_is_free_or_ours(kube: FakeKubernetes, admin: Admin) -> None:
    passes(kube, **row(admin))
    ours(admin)
    passes(kube, **row(admin))
    stands(admin, route={"id": "r-1"})
    passes(kube, **row(admin))
    assert len([path for _, path in admin.asked if path == "/plugins"]) == 6, "twice in each run, whoever wants to know"


def test_a_first_install_asks_nobody(kube: FakeKubernetes, admin: Admin) -> None:
    kube.objects.clear()
    passes(kube, **row(admin))
    assert admin.requests == []


def test_somebody_elses_row(kube: FakeKubernetes, admin: Admin) -> None:
    stands(admin)
    said = refused(kube, **row(admin))
    assert f"plugin entity {THEIRS} in Kong (traceable for all routes)" in said and "kong.admin.adopt true" in said
    assert "is adopted by this stack" in warned(kube, **row(admin, adopt=True))


@pytest.mark.parametrize("adopt", [False, True])
def test_another_stacks_row(kube: FakeKubernetes, admin: Admin, adopt: bool) -> None:
    stands(admin, tags=["traceable-kong:other"])
    assert "belongs to the stack other" in refused(kube, **row(admin, adopt=adopt))


@pytest.mark.parametrize("kind", ["route", "service"])
def test_a_route_or_service_that_is_not_there(kube: FakeKubernetes, admin: Admin, kind: str) -> None:
    assert f"names the {kind} orders" in refused(kube, **row(admin, **{kind: "orders"}))
    admin.routes = admin.services = {"orders": "1"}
    passes(kube, **row(admin, **{kind: "orders"}))


def test_a_workspace_that_kong_does_not_know(kube: FakeKubernetes, admin: Admin) -> None:
    assert "kong.admin.workspace\nis team" in refused(kube, **row(admin, workspace="team"))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {"message": "Unauthorized"}), "HTTP 401: Unauthorized"),
        ((403, {"message": "no permissions"}), "HTTP 403: no permissions"),
        ((200, b"<html>"), "it is not an Admin API"),
    ],
)
def test_a_kong_that_does_not_take_what_is_asked(kube: FakeKubernetes, admin: Admin, answer: Any, said: str) -> None:
    admin.answers = [answer]
    assert said in refused(kube, **row(admin))


def test_a_kong_that_is_down_may_be_what_is_to_be_mended(kube: FakeKubernetes, admin: Admin) -> None:
    admin.answers = [(503, {"message": "no database"})] * 1000
    assert "no database" in warned(kube, **row(admin))
    admin.answers, admin.drops = [], ["before"] * 1000
    assert "could not be reached" in warned(kube, **row(admin))


@pytest.mark.parametrize(
    ("option", "written", "known"),
    [("export_max_senders", True, False), ("export_max_senders", False, True), ("timeout", True, True)],
)
def test_an_older_rock_with_newer_options(
    kube: FakeKubernetes, admin: Admin, option: str, written: bool, known: bool
) -> None:
    ours(admin, config={option: 1})
    record_stands(
        kube, release="quickstart", database="postgres", pluginConfig=json.dumps({option: 1} if written else {})
    )
    if known:
        passes(kube, **row(admin))
    else:
        said = refused(kube, **row(admin))
        assert "has export_max_senders, which version 2.1.2-1 does not know" in said and "Use two steps" in said


def test_mode_goes_with_the_row_itself(kube: FakeKubernetes, admin: Admin) -> None:
    ours(admin, config={"mode": "sync"})
    record_stands(kube, release="quickstart", database="postgres", pluginConfig='{"mode": "sync"}')
    assert "--target '**plugin-row'" in refused(kube, **row(admin), plugin__rock_version="2.0.0-1")


def test_a_row_of_a_plugin_whose_files_go(kube: FakeKubernetes, admin: Admin) -> None:
    ours(admin, enabled=False)
    stands(admin, route={"id": "r-1"})
    stands(admin, "3", name="cors")
    leaving = {**row(admin), "installed": False, "enabled": False, "agent": None, "policy": None}
    assert f"plugin entity {THEIRS} in Kong\nuses the plugin traceable" in refused(kube, **leaving)
    del admin.entities[THEIRS]
    passes(kube, **leaving)
    assert "uses the plugin traceable" not in str(row(admin))
    stands(admin, route={"id": "r-1"})
    assert "whose files this update removes" in refused(kube, **row(admin), plugin__shipped=frozenset({"other"}))


def test_it_is_switched_off_before_it_leaves(kube: FakeKubernetes, admin: Admin) -> None:
    ours(admin)
    leaving = {**row(admin), "installed": False, "enabled": False, "agent": None, "policy": None}
    assert "is still enabled" in refused(kube, **leaving)
    ours(admin, enabled=False)
    passes(kube, **leaving)
