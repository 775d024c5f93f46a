"""The recorder on a real API server: it sees every promise that is broken on purpose, and nothing where none is."""

import json
import uuid
from collections.abc import Iterator

import pytest

from local.platform import Platform
from tests.live.hand import HandMade
from tests.live.history import History
from tests.live.promises import rollouts, violations
from tests.live.recorder import LateStream, Recorder
from tests.live.watching import Api


@pytest.fixture
def hand(platform: Platform) -> Iterator[HandMade]:
    made = HandMade(platform)
    made.begin()
    yield made
    made.end()


def recorder(hand: HandMade) -> Recorder:
    return Recorder(hand.platform.kubeconfig, hand.namespace)


def broken(history: History, hand: HandMade) -> set[int]:
    """The promises that were broken; the recording begins with a gateway that serves, so never from the start."""
    found = violations(history, hand.gateway)
    assert all(item.time is not None for item in found)
    return {item.promise for item in found}


def test_a_clean_installation_rollout_and_removal(hand: HandMade) -> None:
    with recorder(hand) as history:
        hand.roll_out(replicas=4)
        hand.apply(hand.plugin("sync"))
        hand.roll_out(replicas=4, files="files-b")
        hand.delete("configmap", "files-a")
        hand.delete("kongclusterplugin", hand.namespace)
        hand.delete("deployment", "gateway", "--cascade=foreground")
        hand.delete("configmap", "files-b")
    assert violations(history, hand.gateway) == []
    assert rollouts(history, hand.gateway) == 2
    versions = [event.resource_version for event in history.events]
    assert versions == sorted(set(versions)), "each event has its own place"
    pods = {event.name for event in history.events if event.kind == "Pod"}
    assert len(pods) == 8
    assert {event.name for event in history.events if event.kind == "Pod" and event.type == "DELETED"} == pods


def test_1_a_pod_that_asks_for_the_tme_and_starts_without(hand: HandMade) -> None:
    hand.roll_out()
    with recorder(hand) as history:
        hand.apply(hand.pod(files="files-a", tme=False, asks=True))
    assert broken(history, hand) == {1}


def test_2_the_plugin_says_sync_before_the_tme_is_there(hand: HandMade) -> None:
    hand.roll_out(tme=False)
    with recorder(hand) as history:
        hand.apply(hand.plugin("async"))
        hand.apply(hand.plugin("sync"))
        hand.roll_out(tme=True)
    assert broken(history, hand) == {2}
    assert rollouts(history, hand.gateway) == 1


def test_2_the_tme_goes_while_the_plugin_says_sync(hand: HandMade) -> None:
    hand.roll_out(replicas=2)
    hand.apply(hand.plugin("sync"))
    with recorder(hand) as history:
        hand.roll_out(replicas=2, tme=False)
        hand.apply(hand.plugin("async"))
    assert broken(history, hand) == {2}


def test_3_the_plugin_comes_before_its_files_and_goes_again_at_once(hand: HandMade) -> None:
    hand.apply(hand.deployment(1, hand.pod(files=None, tme=False)))
    hand.kubectl("rollout", "status", "deployment/gateway", "--namespace", hand.namespace, "--timeout=60s")
    with recorder(hand) as history:
        hand.apply(hand.plugin("async"))
        hand.delete("kongclusterplugin", hand.namespace)
        hand.roll_out(tme=False)
    assert broken(history, hand) == {3}, "whoever looks afterwards, or now and then, sees nothing"


def test_4_a_config_map_goes_under_a_pod(hand: HandMade) -> None:
    hand.roll_out()
    with recorder(hand) as history:
        hand.delete("configmap", "files-a")
    assert broken(history, hand) == {4}


def test_7_fewer_ready_than_the_strategy_allows(hand: HandMade) -> None:
    # Of two pods none may be missing, so it is broken however fast the next one gets ready.
    hand.roll_out(replicas=2)
    with recorder(hand) as history:
        hand.kubectl("delete", "pods", "--selector=app=gateway", "--namespace", hand.namespace)
    assert broken(history, hand) == {7}


def test_a_kind_that_comes_during_the_recording_is_recorded_from_then_on(hand: HandMade) -> None:
    group = f"{uuid.uuid4().hex[:6]}.example.com"
    crd = f"widgets.{group}"
    names = {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    history = History()
    path = f"/apis/{group}/v1/widgets"
    stream = LateStream(Api(hand.platform.kubeconfig), history, kind="Widget", path=path, crd=crd)
    stream.start()
    hand.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": crd},
            "spec": {"group": group, "scope": "Cluster", "names": names, "versions": [version]},
        }
    )
    try:
        hand.kubectl("wait", "--for=condition=Established", f"crd/{crd}")
        widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "a"}}
        hand.kubectl("create", "--filename", "-", stdin=json.dumps(widget))
        hand.kubectl("delete", f"widgets.{group}", "a")
        stream.drain(stream.look())
        stream.stop()
    finally:
        hand.kubectl("delete", "crd", crd)
    assert [event.type for event in history.events] == ["ADDED", "DELETED"]
