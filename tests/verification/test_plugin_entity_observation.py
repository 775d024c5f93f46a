"""One observation of a Kong with a database: the entity, and every Kong, with the same credentials."""

import dataclasses
from collections.abc import Iterator

import pytest

from tests.fakes.admin_api import Admin, serving
from tests.fakes.admin_api_cluster import add_secret
from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from tests.fakes.protected_cluster import cluster
from tests.fakes.protected_gateway import ENTITY, IN_DATABASE, TARGET, desired, pod
from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS
from traceable_kong.kong_admin.entity_changes import EntityState
from traceable_kong.verification import observation
from traceable_kong.verification.kong_observation import KongAnswer
from traceable_kong.verification.observation import observe


@pytest.fixture
def admin() -> Iterator[Admin]:
    with serving() as made:
        made.token = "planted-token"
        made.entities[TARGET.id] = {"id": TARGET.id, "name": "traceable", "tags": [TARGET.tag], "config": {}}
        yield made


def gateway(admin: Admin, *names: str) -> FakeKubernetes:
    fake = cluster(*(pod(name) for name in names))
    for name in names:
        fake.listeners[name, 8001] = admin.serve
    add_secret(fake, "kong-admin", token="planted-token")
    return fake


def test_the_entity_and_every_kong_are_observed(admin: Admin) -> None:
    fake = gateway(admin, "gw-1", "gw-2")
    fake.problems[f"{CLUSTER_PLUGINS}/"] = forbidden("that would be all of them")
    found = observe(fake, desired(**IN_DATABASE))
    assert isinstance(found.entity, EntityState) and found.entity.entity == admin.entities[TARGET.id]
    answers = [item.kong for item in found.serving]
    assert [isinstance(item, KongAnswer) and item.plugins for item in answers] == [list(admin.entities.values())] * 2
    assert (found.plugin, found.events) == (None, [])
    assert not [path for path, _ in fake.listed if "events" in path], "no ingress controller has a say"


def test_the_workspace_is_used(admin: Admin) -> None:
    admin.plugins["team"] = {"1": {"id": "1", "name": "traceable"}}
    entity = dataclasses.replace(
        ENTITY,
        target=dataclasses.replace(TARGET, workspace="team"),
        endpoint=dataclasses.replace(ENTITY.endpoint, workspace="team"),
    )
    found = observe(gateway(admin, "gw-1"), desired(backend=entity))
    (kong,) = [item.kong for item in found.serving]
    assert isinstance(kong, KongAnswer) and [item["id"] for item in kong.plugins] == ["1"]


def test_a_token_that_cannot_be_read(admin: Admin) -> None:
    fake = gateway(admin, "gw-1")
    fake.problems["/api/v1/namespaces/gw/secrets/kong-admin"] = forbidden("secrets is forbidden")
    found = observe(fake, desired(**IN_DATABASE))
    assert found.entity == "secrets is forbidden"
    assert [item.kong for item in found.serving] == ["secrets is forbidden"]
    del fake.problems["/api/v1/namespaces/gw/secrets/kong-admin"]
    del fake.objects["/api/v1/namespaces/gw/secrets/kong-admin"]
    assert "Secret gw/kong-admin, which kong.admin names, does not" in str(observe(fake, desired(**IN_DATABASE)).entity)


def test_a_wrong_token_is_not_shown(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "ENTITY_SECONDS", 0.2)
    fake = gateway(admin, "gw-1")
    add_secret(fake, "kong-admin", token="planted-wrong")
    found = observe(fake, desired(**IN_DATABASE))
    text = [str(found.entity), *(str(item.kong) for item in found.serving)]
    assert all("HTTP 401" in text and "planted" not in text for text in text)
