"""Every promise, broken on purpose; and histories of our own operations, in which none is."""

import dataclasses
from typing import Any

import pytest

from tests.live.history import World
from tests.live.promises import max_unavailable
from tests.recorder.timeline import GATEWAY, Timeline, config_map, deployment, plugin, pod, replica_set


def installed(replicas: int = 1, *, mode: str = "sync", strategy: dict[str, Any] | None = None) -> Timeline:
    """A gateway that serves, as it was before the recording: pods p-0, p-1, ... with files-a."""
    line = Timeline()
    line.add("configmap", config_map("files-a"))
    line.add("dep", deployment(replicas, strategy))
    line.add("rs", replica_set("rs-1", 1))
    line.add("pod", *(pod(f"p-{index}", tme=mode == "sync") for index in range(replicas)))
    line.add("plugin", plugin(mode))
    line.begins()
    return line


def test_a_sync_installation_keeps_every_promise_and_rolls_twice() -> None:
    line = Timeline()
    line.begins()
    line.add("configmap", config_map("files-a"))
    line.add("dep", deployment())
    line.add("rs", replica_set("rs-1", 1))
    line.add("pod", pod("bare", tme=False, ready=False))
    line.modify("pod", pod("bare", tme=False))
    line.add("rs", replica_set("rs-2", 2))
    line.roll(pod("bare", tme=False), pod("injected"))
    line.add("plugin", plugin("sync"))
    assert line.violations() == []
    assert line.rollouts() == 2


def test_a_switch_to_async_and_back_keeps_every_promise_and_rolls_once_each_way() -> None:
    line = installed()
    line.modify("plugin", plugin("async"))
    line.add("rs", replica_set("rs-2", 2))
    line.roll(pod("p-0"), pod("bare", tme=False))
    assert (line.violations(), line.rollouts()) == ([], 1)
    # The old template comes back, with its ReplicaSet under a new revision.
    line.modify("rs", replica_set("rs-1", 3))
    line.roll(pod("bare", tme=False), pod("again"))
    line.modify("plugin", plugin("sync"))
    assert (line.violations(), line.rollouts()) == ([], 2)


def test_new_files_beside_the_old_keep_every_promise() -> None:
    line = installed(2)
    line.add("configmap", config_map("files-b"))
    for index in range(2):
        line.roll(pod(f"p-{index}"), pod(f"new-{index}", files="files-b"))
    line.delete("configmap", config_map("files-a"))
    assert line.violations() == []


def test_a_removal_in_order_keeps_every_promise() -> None:
    line = installed(2)
    line.delete("plugin", plugin())
    line.delete("dep", deployment(2))
    line.terminate(pod("p-0"))
    line.terminate(pod("p-1"))
    line.delete("configmap", config_map("files-a"))
    assert line.violations() == []


def test_1_a_pod_that_asks_for_the_tme_and_starts_without() -> None:
    line = installed()
    line.add("pod", pod("bare", tme=False, asks=True, ready=False))
    assert line.broken() == [1]
    assert "bare asks for the TME" in line.violations()[0].text
    assert line.broken(dataclasses.replace(GATEWAY, guard_denies=False)) == []


def test_1_a_pod_of_somebody_else_may() -> None:
    line = installed()
    other = pod("other", tme=False, asks=True)
    other["metadata"]["labels"] = {"app": "other"}
    line.add("pod", other)
    assert line.violations() == []


def test_1_the_tme_may_be_an_init_container_and_no_other_image_will_do() -> None:
    line = installed()
    line.add("pod", pod("native", tme=False, asks=True, initContainers=[{"name": "t", "image": "traceable-agent"}]))
    assert line.violations() == []
    line.add("pod", pod("like", tme=False, asks=True, initContainers=[{"name": "t", "image": "traceable-agent-init"}]))
    assert line.broken() == [1, 2]


def test_2_the_tme_goes_before_the_plugin_has_changed() -> None:
    line = installed()
    line.roll(pod("p-0"), pod("bare", tme=False))
    assert line.broken() == [2]


def test_2_the_plugin_says_sync_before_the_tme_is_there() -> None:
    line = installed(mode="async")
    line.modify("plugin", plugin("sync"))
    assert line.broken() == [2]


def test_2_sync_is_what_the_plugin_does_where_it_is_told_nothing() -> None:
    line = installed(mode="async")
    line.modify("plugin", plugin(None))
    assert line.broken() == [2]


def test_2_it_is_told_once_each_time_that_it_begins() -> None:
    line = installed(mode="async")
    line.modify("plugin", plugin("sync"))
    line.add("configmap", config_map("more"))
    line.modify("plugin", plugin("async"))
    line.modify("plugin", plugin("sync"))
    assert line.broken() == [2, 2]


@pytest.mark.parametrize(
    "harmless", [plugin("sync", disabled=True), plugin("sync", ingress_class="other"), plugin("async")]
)
def test_2_a_plugin_that_is_off_or_not_ours_may_say_anything(harmless: dict[str, Any]) -> None:
    line = installed(mode="async")
    line.modify("plugin", harmless)
    assert line.violations() == []


def test_2_a_pod_that_does_not_serve_may_lack_the_tme() -> None:
    line = installed()
    line.add("pod", pod("waiting", tme=False, ready=False))
    assert line.violations() == []
    line.modify("pod", pod("waiting", tme=False))
    assert line.broken() == [2]


@pytest.mark.parametrize("disabled", [False, True])
def test_3_the_plugin_comes_before_its_files(disabled: bool) -> None:
    line = Timeline()
    line.add("pod", pod("p-0", files=None))
    line.begins()
    line.add("plugin", plugin(disabled=disabled))
    assert line.broken() == [3]


def test_3_files_that_are_mounted_elsewhere_are_not_there() -> None:
    line = installed()
    strange = pod("strange")
    strange["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] = "/opt/kong/plugins/other"
    line.add("pod", strange)
    assert line.broken() == [3]


def test_3_files_in_another_container_are_not_there() -> None:
    line = installed()
    strange = pod("strange")
    strange["spec"]["containers"][0]["name"] = "ingress-controller"
    line.add("pod", strange)
    assert line.broken() == [3]


def test_3_an_empty_volume_has_no_files() -> None:
    line = installed()
    strange = pod("strange")
    strange["spec"]["volumes"] = [{"name": "kong-plugin-traceable", "emptyDir": {}}]
    line.add("pod", strange)
    assert line.broken() == [3]


NEEDS = {
    "volume": {"volumes": [{"name": "v", "configMap": {"name": "c"}}]},
    "projected": {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {}}, {"configMap": {"name": "c"}}]}}]},
    "envFrom": {"initContainers": [{"name": "i", "envFrom": [{"secretRef": {}}, {"configMapRef": {"name": "c"}}]}]},
    "env": {"initContainers": [{"name": "i", "env": [{"name": "E", "valueFrom": {"configMapKeyRef": {"name": "c"}}}]}]},
}


@pytest.mark.parametrize("spec", NEEDS.values(), ids=NEEDS)
def test_4_a_config_map_goes_under_a_pod(spec: dict[str, Any]) -> None:
    line = Timeline()
    line.add("configmap", config_map("c"))
    line.add("pod", pod("p-0", files=None, **spec))
    line.begins()
    line.delete("configmap", config_map("c"))
    assert line.broken() == [4]
    assert str(line.violations()[0]) == (
        "promise 4, 00:00:00.000000, resourceVersion 103: "
        "pod p-0 refers to the ConfigMap c, which is not there (after ConfigMap c DELETED)"
    )


def test_4_one_of_that_name_in_another_namespace_does_not_help() -> None:
    line = installed()
    line.delete("configmap", config_map("files-a"))
    line.add("configmap", config_map("files-a", "elsewhere"))
    assert line.broken() == [4]


def test_4_what_is_optional_the_root_certificate_and_pods_that_leave_or_are_over_do_not_count() -> None:
    line = installed()
    line.terminate(pod("p-0"))
    optional = {"name": "a", "configMap": {"name": "gone", "optional": True}}
    root = {"name": "b", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}}
    harmless = pod("job", files=None, volumes=[optional, root])
    harmless["metadata"]["labels"] = {}
    line.add("pod", harmless)
    finished = pod("finished", ready=False)
    finished["status"]["phase"] = "Succeeded"
    line.add("pod", finished)
    line.delete("configmap", config_map("files-a"))
    assert [item for item in line.broken() if item == 4] == []


def test_7_fewer_ready_than_the_strategy_allows() -> None:
    line = installed(4)
    line.terminate(pod("p-0"))
    assert line.violations() == [], "one of four may be missing: 25 %"
    line.terminate(pod("p-1"))
    assert line.broken() == [7]
    assert "2 of 4 gateway pods are ready, and its strategy asks for 3" in line.violations()[0].text


def test_7_a_pod_that_is_there_and_not_ready_does_not_count() -> None:
    line = installed(1)
    line.modify("pod", pod("p-0", ready=False))
    assert line.broken() == [7]


def test_7_not_before_all_were_ready_and_not_after_the_deployment_went() -> None:
    line = Timeline()
    line.begins()
    line.add("configmap", config_map("files-a"))
    line.add("dep", deployment(2))
    line.add("pod", pod("p-0"), pod("p-1", ready=False))
    line.modify("pod", pod("p-0", ready=False))
    assert line.violations() == []
    line.modify("pod", pod("p-0"))
    line.modify("pod", pod("p-1"))
    line.delete("dep", deployment(2))
    line.terminate(pod("p-0"))
    line.terminate(pod("p-1"))
    assert line.violations() == []


def test_7_more_replicas_are_asked_for_when_they_have_been_ready_and_fewer_at_once() -> None:
    line = installed(2, strategy={"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}})
    line.modify("dep", deployment(4, {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}))
    assert line.violations() == [], "two are still enough"
    line.modify("dep", deployment(1))
    line.terminate(pod("p-0"))
    assert line.violations() == []
    line.terminate(pod("p-1"))
    assert line.broken() == [7]


@pytest.mark.parametrize(
    ("strategy", "replicas", "missing"),
    [
        ({}, 1, 0),
        ({}, 3, 0),
        ({}, 4, 1),
        ({}, 7, 1),
        ({"rollingUpdate": {"maxUnavailable": 2}}, 4, 2),
        ({"rollingUpdate": {"maxUnavailable": 5}}, 4, 4),
        ({"rollingUpdate": {"maxUnavailable": "50%", "maxSurge": 0}}, 3, 1),
        ({"rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 0}}, 3, 1),
        ({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}}, 1, 0),
        ({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}}, 0, 0),
        ({"type": "Recreate"}, 4, 4),
    ],
)
def test_7_what_may_be_missing_is_counted_as_kubernetes_does(
    strategy: dict[str, Any], replicas: int, missing: int
) -> None:
    assert max_unavailable(strategy, replicas) == missing


def test_what_was_broken_before_is_told_from_the_start() -> None:
    line = Timeline()
    line.add("pod", pod("p-0"))
    line.begins()
    assert "from the start" in str(line.violations()[0])


def test_what_was_mended_before_the_start_is_not_told() -> None:
    line = Timeline()
    line.add("pod", pod("p-0"))
    line.add("configmap", config_map("files-a"))
    line.begins()
    assert line.violations() == []


def test_rollouts_are_those_of_the_gateway_and_of_the_recording() -> None:
    line = installed()
    line.modify("rs", replica_set("rs-1", 1))
    line.add("rs", replica_set("agent", 7, owner="agent"))
    assert line.rollouts() == 0
    line.add("rs", replica_set("rs-2", 2))
    line.modify("rs", replica_set("rs-2", 2))
    line.delete("rs", replica_set("rs-1", 1))
    assert line.rollouts() == 1


def test_the_world_forgets_what_is_deleted() -> None:
    line = installed()
    line.delete("configmap", config_map("files-a"))
    world = World()
    for event in line.history.events:
        world.apply(event)
    assert not world.all("ConfigMap")
