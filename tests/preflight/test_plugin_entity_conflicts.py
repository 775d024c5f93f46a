"""The plugin entity in a running Kong."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.admin_api import Admin, serving
from tests.fakes.plans import OWNER, ROCK, plan
from tests.fakes.preflight_cluster import (
    UNINSTALLED,
    FakeKubernetes,
    container,
    passes,
    put_kong,
    put_record,
    put_storage_class,
    refused,
    rock_of,
    warned,
)
from traceable_kong.kong_admin import admin_client
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.plan.model import Plan
from traceable_kong.plugin.rock import Rock
from traceable_kong.preflight import cached_reader

OTHER = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def admin(kube: FakeKubernetes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Admin]:
    monkeypatch.setattr(admin_client, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(cached_reader, "ENTITIES_SECONDS", 0.2)
    volumes = {"kong-plugin-traceable": "files"}
    put_kong(kube, container(KONG_DATABASE="postgres"), volumes=volumes)
    kube.put("/api/v1/namespaces/kong/configmaps/files", {}, owned=True)
    put_storage_class(kube)
    with serving() as made:
        yield made


def entity(admin: Admin, *, rock: Rock = ROCK, installed: bool = True, **keys: Any) -> Plan:
    """The plan of a managed Kong whose Admin API is `admin`, with these keys of kong.admin."""
    off = {} if installed else UNINSTALLED
    scope = "selected" if {"route", "service"} & keys.keys() else "global"
    kong = {"database": "postgres", "postgres": {"managed": True}, "admin": keys}
    made = plan(rock=rock, kong=kong, scope=scope, **off)
    assert made.gateway and made.gateway.plugin.entity
    backend = made.gateway.plugin.entity
    # The config refuses a URL without TLS.
    backend = replace(backend, endpoint=replace(backend.endpoint, url=admin.url))
    return replace(made, gateway=replace(made.gateway, plugin=replace(made.gateway.plugin, backend=backend)))


TARGET = PluginTarget(workspace="default", plugin="traceable", owner=OWNER)


def put_entity(admin: Admin, id_: str = OTHER, **fields: Any) -> None:
    admin.entities[id_] = {"id": id_, "name": "traceable", "enabled": True, "config": {}, "tags": None, **fields}


def put_own_entity(admin: Admin, **fields: Any) -> None:
    put_entity(admin, TARGET.id, **{"tags": [TARGET.tag], **fields})


def test_a_free_or_owned_target_passes(kube: FakeKubernetes, admin: Admin) -> None:
    passes(kube, of=entity(admin))
    put_own_entity(admin)
    passes(kube, of=entity(admin))
    put_entity(admin, route={"id": "r-1"})
    passes(kube, of=entity(admin))
    assert len([path for _, path in admin.asked if path == "/plugins"]) == 6, "twice in each run, for all checks"


def test_a_first_install_sends_no_request(kube: FakeKubernetes, admin: Admin) -> None:
    kube.objects.clear()
    put_storage_class(kube)
    passes(kube, of=entity(admin))
    assert admin.requests == []


def test_an_entity_of_another_user(kube: FakeKubernetes, admin: Admin) -> None:
    put_entity(admin)
    said = refused(kube, of=entity(admin))
    assert f"plugin entity {OTHER} in Kong (traceable for all routes)" in said and "kong.admin.adopt true" in said
    assert "is adopted by this stack" in warned(kube, of=entity(admin, adopt=True))


@pytest.mark.parametrize("adopt", [False, True])
def test_an_entity_of_another_stack(kube: FakeKubernetes, admin: Admin, adopt: bool) -> None:
    put_entity(admin, tags=["traceable-kong:other"])
    assert "belongs to another stack, other (this one is" in refused(kube, of=entity(admin, adopt=adopt))


@pytest.mark.parametrize("kind", ["route", "service"])
def test_a_missing_route_or_service(kube: FakeKubernetes, admin: Admin, kind: str) -> None:
    orders: dict[str, Any] = {kind: "orders"}
    assert f"names the {kind} orders" in refused(kube, of=entity(admin, **orders))
    admin.routes = admin.services = {"orders": "1"}
    passes(kube, of=entity(admin, **orders))


def test_a_missing_workspace(kube: FakeKubernetes, admin: Admin) -> None:
    assert "kong.admin.workspace\nis team" in refused(kube, of=entity(admin, workspace="team"))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {"message": "Unauthorized"}), "HTTP 401: Unauthorized"),
        ((403, {"message": "no permissions"}), "HTTP 403: no permissions"),
        ((200, b"<html>"), "it is not an Admin API"),
    ],
)
def test_an_admin_api_that_refuses_requests(kube: FakeKubernetes, admin: Admin, answer: Any, said: str) -> None:
    admin.answers = [answer]
    assert said in refused(kube, of=entity(admin))


def test_a_kong_that_is_down_is_a_warning(kube: FakeKubernetes, admin: Admin) -> None:
    admin.answers = [(503, {"message": "no database"})] * 1000
    assert "no database" in warned(kube, of=entity(admin))
    admin.answers, admin.drops = [], ["before"] * 1000
    assert "could not be reached" in warned(kube, of=entity(admin))


@pytest.mark.parametrize(
    ("option", "written", "known"),
    [("export_max_senders", True, False), ("export_max_senders", False, True), ("timeout", True, True)],
)
def test_an_older_rock_with_newer_options(
    kube: FakeKubernetes, admin: Admin, option: str, written: bool, known: bool
) -> None:
    put_own_entity(admin, config={option: 1})
    put_record(kube, release="quickstart", database="postgres", pluginConfig=json.dumps({option: 1} if written else {}))
    if known:
        passes(kube, of=entity(admin))
    else:
        said = refused(kube, of=entity(admin))
        assert "has export_max_senders, which version 2.1.2-1 does not know" in said and "Use two steps" in said


def test_the_entity_is_deleted_before_a_rock_without_modes(kube: FakeKubernetes, admin: Admin) -> None:
    put_own_entity(admin, config={"mode": "sync"})
    put_record(kube, release="quickstart", database="postgres", pluginConfig='{"mode": "sync"}')
    assert "--target '**plugin-entity'" in refused(kube, of=entity(admin, rock=rock_of("2.0.0-1")))


def test_an_entity_whose_files_are_removed(kube: FakeKubernetes, admin: Admin) -> None:
    put_own_entity(admin, enabled=False)
    put_entity(admin, route={"id": "r-1"})
    put_entity(admin, "3", name="cors")
    leaving = entity(admin, installed=False)
    assert f"plugin entity {OTHER} in Kong\nuses the plugin traceable" in refused(kube, of=leaving)
    del admin.entities[OTHER]
    passes(kube, of=leaving)
    put_entity(admin, route={"id": "r-1"})
    assert "whose files this update removes" in refused(kube, of=entity(admin, rock=rock_of("2.1.2-1", "other")))


def test_an_uninstall_needs_a_disabled_entity(kube: FakeKubernetes, admin: Admin) -> None:
    put_own_entity(admin)
    leaving = entity(admin, installed=False)
    assert "is still enabled" in refused(kube, of=leaving)
    put_own_entity(admin, enabled=False)
    passes(kube, of=leaving)
