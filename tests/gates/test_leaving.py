"""The plugin is deleted, and forgotten by every Kong, before its files go."""

from typing import Any

import pytest

from gates import leaving
from gates.probe import Refused
from tests.clock import Clock
from tests.fake_kube import FakeKube
from tests.proof.cluster import add_pod, cluster
from tests.proof.gateway import expectation, instance, pod

PLUGINS = "/apis/configuration.konghq.com/v1/kongclusterplugins"
PLUGIN = f"{PLUGINS}/traceable-plugin"
OURS = ("traceable-kong/stack", "traceable-kong.test")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(leaving, "time", made)
    return made


def standing(*, owner: str | None = OURS[1], listed: bool = True) -> FakeKube:
    fake = cluster(plugins=[instance(enabled=False)] if listed else [])
    put(fake, "traceable-plugin", owner=owner)
    return fake


def put(fake: FakeKube, name: str, *, owner: str | None = OURS[1], ingress_class: str = "kong") -> None:
    metadata: dict[str, Any] = {"annotations": {"kubernetes.io/ingress.class": ingress_class}}
    if owner:
        metadata["labels"] = {OURS[0]: owner}
    fake.put(f"{PLUGINS}/{name}", {"metadata": metadata})


def remove(fake: FakeKube) -> None:
    leaving.remove_plugin(fake, expectation(installed=False, enabled=False, tme_image=None), owner_label=OURS)


def test_it_is_deleted_and_waited_for_until_no_kong_lists_it(clock: Clock) -> None:
    fake = standing()
    clock.then = lambda now: now >= 3 and add_pod(fake, pod(), plugins=[{"name": "cors"}])
    remove(fake)
    assert fake.changed == [("DELETE", PLUGIN)]
    assert clock.now == 3


def test_all_of_ours_of_the_class_go_whatever_their_names(clock: Clock) -> None:
    fake = standing()
    put(fake, "older-name")
    put(fake, "elsewhere", ingress_class="other")
    put(fake, "theirs", owner=None)
    clock.then = lambda now: add_pod(fake, pod(), plugins=[])
    remove(fake)
    assert fake.changed == [("DELETE", PLUGIN), ("DELETE", f"{PLUGINS}/older-name")]


@pytest.mark.parametrize("owner", [None, "traceable-kong.other"])
def test_what_is_not_ours_stays(clock: Clock, owner: str | None) -> None:
    fake = standing(owner=owner)
    remove(fake)
    assert (fake.changed, clock.now) == ([], 0)
    assert PLUGIN in fake.objects


def test_what_is_gone_already_is_no_work(clock: Clock) -> None:
    fake = standing()
    del fake.objects[PLUGIN]
    remove(fake)
    assert (fake.changed, clock.now) == ([], 0)


def test_a_kong_that_goes_on_listing_it_keeps_its_files(clock: Clock) -> None:
    with pytest.raises(Refused, match=r"traceable-plugin is deleted, and after 45 s Kong still lists traceable.*gw-1"):
        remove(standing())
    assert clock.now >= leaving.TIMEOUT_SECONDS


def test_a_kong_that_does_not_answer_is_not_taken_for_one_that_forgot(clock: Clock) -> None:
    fake = standing(listed=False)
    del fake.listeners["gw-1", 8001]
    with pytest.raises(Refused, match="or does not answer, in gw-1"):
        remove(fake)
