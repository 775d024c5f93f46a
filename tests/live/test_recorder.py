"""The recorder on a real API server finds every promise that a test breaks, and no other."""

import json
import uuid
from collections.abc import Iterator

import pytest

from local.platform import Platform
from tests.live.kubectl_gateway import KubectlGateway
from tests.recorder.history import History
from tests.recorder.promises import rollouts, violations
from tests.recorder.recorder import LateStream, Recorder
from tests.recorder.watch_stream import Api


@pytest.fixture
def gateway(platform: Platform) -> Iterator[KubectlGateway]:
    created = KubectlGateway(platform)
    created.create()
    yield created
    created.remove()


def recorder(gateway: KubectlGateway) -> Recorder:
    return Recorder(gateway.platform.kubeconfig, gateway.namespace)


def broken(history: History, gateway: KubectlGateway) -> set[int]:
    """The promises that were broken during the recording; none may be broken when it starts."""
    found = violations(history, gateway.gateway)
    assert all(item.time is not None for item in found)
    return {item.promise for item in found}


def test_an_installation_a_rollout_and_a_removal_in_order_break_no_promise(gateway: KubectlGateway) -> None:
    with recorder(gateway) as history:
        gateway.roll_out(replicas=4)
        gateway.apply(gateway.plugin("sync"))
        gateway.roll_out(replicas=4, files="files-b")
        gateway.delete("configmap", "files-a")
        gateway.delete("kongclusterplugin", gateway.namespace)
        gateway.delete("deployment", "gateway", "--cascade=foreground")
        gateway.delete("configmap", "files-b")
    assert violations(history, gateway.gateway) == []
    assert rollouts(history, gateway.gateway) == 2
    versions = [event.resource_version for event in history.events]
    assert versions == sorted(set(versions)), "every event has a resourceVersion of its own"
    pods = {event.name for event in history.events if event.kind == "Pod"}
    assert len(pods) == 8
    assert {event.name for event in history.events if event.kind == "Pod" and event.type == "DELETED"} == pods


def test_1_a_pod_that_requests_the_tme_and_starts_without_it(gateway: KubectlGateway) -> None:
    gateway.roll_out()
    with recorder(gateway) as history:
        gateway.apply(gateway.pod(files="files-a", tme=False, requests_tme=True))
    assert broken(history, gateway) == {1}


def test_2_the_plugin_is_in_sync_mode_before_the_tme_exists(gateway: KubectlGateway) -> None:
    gateway.roll_out(tme=False)
    with recorder(gateway) as history:
        gateway.apply(gateway.plugin("async"))
        gateway.apply(gateway.plugin("sync"))
        gateway.roll_out(tme=True)
    assert broken(history, gateway) == {2}
    assert rollouts(history, gateway.gateway) == 1


def test_2_the_tme_is_removed_while_the_plugin_is_in_sync_mode(gateway: KubectlGateway) -> None:
    gateway.roll_out(replicas=2)
    gateway.apply(gateway.plugin("sync"))
    with recorder(gateway) as history:
        gateway.roll_out(replicas=2, tme=False)
        gateway.apply(gateway.plugin("async"))
    assert broken(history, gateway) == {2}


def test_3_the_plugin_exists_before_its_files_and_is_deleted_at_once(gateway: KubectlGateway) -> None:
    gateway.apply(gateway.deployment(1, gateway.pod(files=None, tme=False)))
    gateway.kubectl("rollout", "status", "deployment/gateway", "--namespace", gateway.namespace, "--timeout=60s")
    with recorder(gateway) as history:
        gateway.apply(gateway.plugin("async"))
        gateway.delete("kongclusterplugin", gateway.namespace)
        gateway.roll_out(tme=False)
    assert broken(history, gateway) == {3}, "polling would not find it"


def test_4_a_config_map_that_a_pod_needs_is_deleted(gateway: KubectlGateway) -> None:
    gateway.roll_out()
    with recorder(gateway) as history:
        gateway.delete("configmap", "files-a")
    assert broken(history, gateway) == {4}


def test_7_fewer_ready_than_the_strategy_allows(gateway: KubectlGateway) -> None:
    # The strategy allows none of two pods to be unavailable, so the promise is broken however fast the new ones are.
    gateway.roll_out(replicas=2)
    with recorder(gateway) as history:
        gateway.kubectl("delete", "pods", "--selector=app=gateway", "--namespace", gateway.namespace)
    assert broken(history, gateway) == {7}


def test_a_kind_that_is_created_during_the_recording_is_recorded_from_then_on(gateway: KubectlGateway) -> None:
    group = f"{uuid.uuid4().hex[:6]}.example.com"
    crd = f"widgets.{group}"
    names = {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    history = History()
    path = f"/apis/{group}/v1/widgets"
    stream = LateStream(Api(gateway.platform.kubeconfig), history, kind="Widget", path=path, crd=crd)
    stream.start()
    gateway.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": crd},
            "spec": {"group": group, "scope": "Cluster", "names": names, "versions": [version]},
        }
    )
    try:
        gateway.kubectl("wait", "--for=condition=Established", f"crd/{crd}")
        widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "a"}}
        gateway.kubectl("create", "--filename", "-", stdin=json.dumps(widget))
        gateway.kubectl("delete", f"widgets.{group}", "a")
        stream.drain(stream.list())
        stream.stop()
    finally:
        gateway.kubectl("delete", "crd", crd)
    assert [event.type for event in history.events] == ["ADDED", "DELETED"]
