"""The wait until a gateway only has pods of its newest revision."""

from typing import Any

import pytest

from tests.fakes.clock import Clock
from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.protected_cluster import DEPLOYMENT, PODS, add_pod, cluster
from tests.fakes.protected_gateway import DEPLOYMENT as KONG
from tests.fakes.protected_gateway import pod
from traceable_kong.common import waiting
from traceable_kong.hooks import old_pods
from traceable_kong.hooks.hook_failed import HookFailed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def wait(fake: FakeKubernetes, timeout_seconds: float = 60) -> old_pods.RolledOut:
    return old_pods.wait_until_gone(fake, KONG, timeout_seconds=timeout_seconds)


def test_without_old_pods_there_is_no_wait(clock: Clock) -> None:
    found = wait(cluster(pod("gw-1"), pod("gw-2", ready=False)))
    assert clock.now == 0
    assert [item["metadata"]["name"] for item in found.serving] == ["gw-1"]
    assert found.deployment["metadata"]["name"] == "edge-kong"


@pytest.mark.parametrize("ready", [True, False])
def test_an_old_pod_is_waited_for(clock: Clock, ready: bool) -> None:
    old = pod("gw-0", revision="old", ready=ready)
    fake = cluster(pod("gw-1"), old)

    def pass_on(now: float) -> None:
        if now >= 5:
            old["metadata"]["deletionTimestamp"] = "now"

    clock.then = pass_on
    wait(fake)
    assert clock.now == 5


def test_a_new_pod_must_be_ready(clock: Clock) -> None:
    fake = cluster(pod("gw-1", ready=False))
    clock.then = lambda now: add_pod(fake, pod("gw-1")) if now >= 2 else None
    wait(fake)
    assert clock.now == 2


def test_a_generation_that_was_not_observed_yet_is_waited_for(clock: Clock) -> None:
    fake = cluster()
    fake.objects[DEPLOYMENT]["metadata"]["generation"] = 4
    clock.then = lambda now: now >= 1 and fake.objects[DEPLOYMENT]["status"].update(observedGeneration=4)
    wait(fake)
    assert clock.now == 1


def ended(fake: FakeKubernetes) -> str:
    with pytest.raises(HookFailed) as refused:
        wait(fake)
    return str(refused.value)


def test_it_gives_up_and_names_the_pods(clock: Clock) -> None:
    said = ended(cluster(pod("gw-1"), pod("gw-b", revision="old"), pod("gw-a", revision="old")))
    assert "gw/edge-kong has pods of an older revision (gw-a, gw-b) after 60 s" in said
    assert "Nothing about the plugin was changed" in said
    assert 60 <= clock.now < 61


def test_it_gives_up_if_no_pod_serves(clock: Clock) -> None:
    said: Any = ended(cluster(pod("gw-1", ready=False)))
    assert "gw/edge-kong has no ready pod of its newest revision after 60 s" in said


def test_without_a_rollout_the_wait_for_a_ready_pod_is_shorter(clock: Clock) -> None:
    with pytest.raises(HookFailed, match=r"no ready pod of its newest revision after 120 s"):
        wait(cluster(pod("gw-1", ready=False)), timeout_seconds=600)


def test_a_gateway_that_is_scaled_to_zero(clock: Clock) -> None:
    fake = cluster()
    fake.objects = {path: item for path, item in fake.objects.items() if not path.startswith(PODS)}
    fake.objects[DEPLOYMENT]["spec"]["replicas"] = 0
    assert "kubectl scale deployment edge-kong --namespace gw --replicas 1" in ended(fake)
    assert clock.now == 0


def test_a_gateway_that_does_not_exist(clock: Clock) -> None:
    assert "Deployment gw/edge-kong does not exist" in ended(FakeKubernetes())
    assert clock.now == 0


def test_pods_of_another_gateway_do_not_count(clock: Clock) -> None:
    fake = cluster()
    fake.put(f"{PODS}/other", {**pod("other", revision="x"), "metadata": {"name": "other", "labels": {"app": "other"}}})
    wait(fake)
    assert clock.now == 0
