"""While Helm waits, the monitor reports why the rollout is blocked, each reason once."""

import threading
import time
from typing import Any

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from tests.fakes.protected_cluster import DEPLOYMENT, PODS, cluster, event
from tests.fakes.protected_gateway import pod
from traceable_kong.cluster.kubernetes_client import Unreachable
from traceable_kong.hooks import rollout_monitor
from traceable_kong.hooks.rollout_monitor import RolloutMonitor

PREFIX = "Rollout of deployment gw/edge-kong is blocked: "


class Heard:
    """Collects lines; `wait` returns when there are enough."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.changed = threading.Condition()

    def __call__(self, line: str) -> None:
        with self.changed:
            self.lines.append(line)
            self.changed.notify_all()

    def wait(self, count: int) -> list[str]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.lines) >= count, timeout=5), self.lines
        return self.lines


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout_monitor, "INTERVAL_SECONDS", 0.001)


def watching(fake: FakeKubernetes, heard: Any) -> RolloutMonitor:
    return RolloutMonitor(fake, namespace="gw", deployment="edge-kong", plugin_object="traceable-plugin", say=heard)


def test_events_of_the_plugin_since_the_start() -> None:
    fake = cluster()
    event(fake, "old", "refused long ago", lastTimestamp="2026-01-01T00:00:00Z")
    event(fake, "new", "unknown field", lastTimestamp="2999-01-01T00:00:00Z")
    event(fake, "gone", "of a deleted plugin", uid="deleted", lastTimestamp="2999-01-01T00:00:00Z")
    assert watching(fake, lambda line: None).reasons() == ["unknown field"]


def stuck(name: str, reason: str) -> dict[str, Any]:
    document = pod(name, ready=False)
    document["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": reason}}
    return document


def fail_to_create_pods(fake: FakeKubernetes, message: str) -> None:
    fake.objects[DEPLOYMENT]["status"]["conditions"] = [
        {"type": "Available", "message": "fine"},
        {"type": "ReplicaFailure", "message": message},
    ]


def rounds_pass(fake: FakeKubernetes, count: int) -> None:
    """Waits until the monitor has read the cluster `count` more times."""
    until = time.monotonic() + 5
    looked = len(fake.listed)
    while len(fake.listed) < looked + count:
        assert time.monotonic() < until
        time.sleep(0.001)


def test_why_pods_are_not_created_and_why_they_do_not_run() -> None:
    fake = cluster(stuck("gw-1", "ImagePullBackOff"), stuck("gw-2", "ContainerCreating"))
    fail_to_create_pods(fake, "denied")
    assert watching(fake, None).reasons() == ["denied", "gw-1: ingress-controller: ImagePullBackOff"]


def test_a_container_that_keeps_failing_and_not_one_that_failed_twice() -> None:
    twice, often = stuck("gw-1", "CrashLoopBackOff"), stuck("gw-2", "CrashLoopBackOff")
    twice["status"]["containerStatuses"][0]["restartCount"] = 1
    often["status"]["containerStatuses"][0]["restartCount"] = 2
    assert watching(cluster(twice, often), None).reasons() == ["gw-2: ingress-controller: CrashLoopBackOff"]


def test_terminating_pods_and_a_missing_gateway_are_no_reasons() -> None:
    going = stuck("gw-1", "ImagePullBackOff")
    going["metadata"]["deletionTimestamp"] = "now"
    assert watching(cluster(going), None).reasons() == []
    assert watching(FakeKubernetes(), None).reasons() == []


def test_each_reason_is_reported_once() -> None:
    heard = Heard()
    fake = cluster(stuck("gw-1", "ImagePullBackOff"))
    watched = watching(fake, heard)
    watched.start()
    heard.wait(1)
    rounds_pass(fake, 5)
    fail_to_create_pods(fake, "denied")
    lines = heard.wait(2)
    watched.stop()
    assert lines == [f"{PREFIX}gw-1: ingress-controller: ImagePullBackOff", f"{PREFIX}denied"]


@pytest.mark.parametrize("problem", [forbidden(), Unreachable("away")])
def test_a_cluster_that_is_unreachable_for_a_moment_does_not_end_it(problem: Exception) -> None:
    heard = Heard()
    fake = cluster(stuck("gw-1", "ImagePullBackOff"))
    fake.problems[PODS] = problem
    watched = watching(fake, heard)
    watched.start()
    rounds_pass(fake, 3)
    fake.problems.clear()
    heard.wait(1)
    watched.stop()


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "rollout monitor"]


def test_it_ends_when_stopped() -> None:
    before = set(running())
    watched = watching(cluster(), None)
    watched.start()
    (own,) = set(running()) - before
    watched.stop()
    own.join(5)
    assert not own.is_alive()
