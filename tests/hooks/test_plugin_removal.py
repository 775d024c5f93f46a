"""The plugin is deleted, and no Kong lists it, before its files are removed."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.admin_api import Admin, serving
from tests.fakes.admin_api_cluster import DEPLOYMENT, add_secret
from tests.fakes.admin_api_cluster import cluster as gateway
from tests.fakes.clock import Clock
from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.protected_cluster import add_pod, cluster
from tests.fakes.protected_gateway import ENTITY, TARGET, desired, instance, pod
from traceable_kong.cluster.kubernetes_client import ApiError, Document
from traceable_kong.cluster.ownership import STACK_LABEL
from traceable_kong.common import waiting
from traceable_kong.hooks import plugin_removal
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.kong_admin import admin_endpoint, entity_changes

PLUGINS = "/apis/configuration.konghq.com/v1/kongclusterplugins"
PLUGIN = f"{PLUGINS}/traceable-plugin"
OWNER = "traceable-kong.test"

IN_DATABASE = desired(backend=ENTITY, installed=False, enabled=False, injection=None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def installed(*, owner: str | None = OWNER, listed: bool = True) -> FakeKubernetes:
    fake = cluster(plugins=[instance(enabled=False)] if listed else [])
    put(fake, "traceable-plugin", owner=owner)
    return fake


def put(fake: FakeKubernetes, name: str, *, owner: str | None = OWNER, ingress_class: str = "kong") -> None:
    metadata: dict[str, Any] = {"annotations": {"kubernetes.io/ingress.class": ingress_class}}
    metadata |= {"uid": f"{name}-uid", "resourceVersion": "7"}
    if owner:
        metadata["labels"] = {STACK_LABEL: owner}
    fake.put(f"{PLUGINS}/{name}", {"metadata": metadata})


def remove(fake: FakeKubernetes) -> None:
    plugin_removal.remove_plugin(fake, desired(installed=False, enabled=False, injection=None), OWNER)


def test_it_is_deleted_and_the_wait_ends_when_no_kong_lists_it(clock: Clock) -> None:
    fake = installed()
    clock.then = lambda now: add_pod(fake, pod(), plugins=[{"name": "cors"}]) if now >= 3 else None
    remove(fake)
    assert fake.changed == [("DELETE", PLUGIN)]
    assert clock.now == 3


def test_all_of_this_stack_and_class_are_deleted_whatever_their_names(clock: Clock) -> None:
    fake = installed()
    put(fake, "older-name")
    put(fake, "elsewhere", ingress_class="other")
    put(fake, "unlabeled", owner=None)
    clock.then = lambda now: add_pod(fake, pod(), plugins=[])
    remove(fake)
    assert fake.changed == [("DELETE", PLUGIN), ("DELETE", f"{PLUGINS}/older-name")]


@pytest.mark.parametrize("owner", [None, "traceable-kong.other"])
def test_a_plugin_of_others_stays(clock: Clock, owner: str | None) -> None:
    fake = installed(owner=owner)
    remove(fake)
    assert (fake.changed, clock.now) == ([], 0)
    assert PLUGIN in fake.objects


def test_a_plugin_that_was_replaced_meanwhile_stays(clock: Clock) -> None:
    class Slow(FakeKubernetes):
        def list(self, path: str, **selectors: Any) -> list[Document]:
            found = copy.deepcopy(super().list(path, **selectors))
            put(self, "traceable-plugin", owner="traceable-kong.other")
            self.objects[PLUGIN]["metadata"]["resourceVersion"] = "8"
            return found

    fake = Slow(*installed().objects.items())
    with pytest.raises(ApiError, match="has been modified"):
        remove(fake)
    assert PLUGIN in fake.objects


def test_a_missing_plugin_is_fine(clock: Clock) -> None:
    fake = installed()
    del fake.objects[PLUGIN]
    remove(fake)
    assert (fake.changed, clock.now) == ([], 0)


def test_a_kong_that_still_lists_it_keeps_its_files(clock: Clock) -> None:
    with pytest.raises(
        HookFailed, match=r"Kong in gw-1 still lists the plugin traceable, or does not answer, 45 s after"
    ):
        remove(installed())
    assert clock.now >= plugin_removal.TIMEOUT_SECONDS


def test_a_kong_that_does_not_answer_keeps_its_files(clock: Clock) -> None:
    fake = installed(listed=False)
    del fake.listeners["gw-1", 8001]
    with pytest.raises(HookFailed, match="Kong in gw-1 still lists the plugin traceable, or does not answer"):
        remove(fake)


@pytest.fixture
def admin() -> Iterator[Admin]:
    with serving() as made:
        own = {"name": "traceable", "tags": [TARGET.tag], "config": {}}
        made.entities.update({"1": {"id": "1", **own}, "2": {"id": "2", **own, "route": {"id": "r"}}})
        made.entities["3"] = {"id": "3", "name": "traceable", "service": {"id": "s"}, "config": {}}
        yield made


def with_entities(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> FakeKubernetes:
    monkeypatch.setattr(admin_endpoint.client, "__kwdefaults__", {"deadline_seconds": 0.2})
    fake = gateway(admin)
    add_secret(fake, "kong-admin", token="planted-token")
    return fake


def test_all_entities_of_this_stack_are_deleted_and_every_node_has_time_to_notice(
    admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Clock()
    monkeypatch.setattr(entity_changes, "time", made)
    plugin_removal.remove_plugin(with_entities(admin, monkeypatch), IN_DATABASE, OWNER)
    assert list(admin.entities) == ["3"]
    assert made.now == pytest.approx(0.52)


def test_an_entity_that_cannot_be_deleted_keeps_the_files(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = with_entities(admin, monkeypatch)
    admin.answers = [(403, {"message": "you do not have permissions"})]
    with pytest.raises(HookFailed, match=r"you do not have permissions.*Kong keeps the plugin's files"):
        plugin_removal.remove_plugin(fake, IN_DATABASE, OWNER)
    fake.listeners.clear()
    with pytest.raises(HookFailed, match="does not answer"):
        plugin_removal.remove_plugin(fake, IN_DATABASE, OWNER)
    assert len(admin.entities) == 3


def test_without_a_gateway_no_pod_loses_files(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = with_entities(admin, monkeypatch)
    del fake.objects[DEPLOYMENT]
    plugin_removal.remove_plugin(fake, IN_DATABASE, OWNER)
