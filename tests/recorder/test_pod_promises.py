"""Promises 4 and 7, broken on purpose: a pod's ConfigMaps, and the number of ready pods."""

from typing import Any

import pytest

from tests.recorder.promises import max_unavailable
from tests.recorder.timeline import Timeline, config_map, deployment, installed, pod

NEEDS = {
    "volume": {"volumes": [{"name": "v", "configMap": {"name": "c"}}]},
    "projected": {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {}}, {"configMap": {"name": "c"}}]}}]},
    "envFrom": {"initContainers": [{"name": "i", "envFrom": [{"secretRef": {}}, {"configMapRef": {"name": "c"}}]}]},
    "env": {"initContainers": [{"name": "i", "env": [{"name": "E", "valueFrom": {"configMapKeyRef": {"name": "c"}}}]}]},
}


@pytest.mark.parametrize("spec", NEEDS.values(), ids=NEEDS)
def test_4_a_config_map_that_a_pod_needs_is_deleted(spec: dict[str, Any]) -> None:
    line = Timeline()
    line.add("configmap", config_map("c"))
    line.add("pod", pod("p-0", files=None, **spec))
    line.start_recording()
    line.delete("configmap", config_map("c"))
    assert line.broken() == [4]
    assert str(line.violations()[0]) == (
        "promise 4, 00:00:00.000000, resourceVersion 103: "
        "pod p-0 refers to ConfigMap c, which does not exist (after ConfigMap c DELETED)"
    )


def test_4_a_config_map_of_that_name_in_another_namespace_does_not_count() -> None:
    line = installed()
    line.add("configmap", config_map("files-a", "elsewhere"))
    line.delete("configmap", config_map("files-a"))
    assert line.broken() == [4]


def test_4_optional_config_maps_and_the_root_certificate_are_not_needed() -> None:
    line = installed()
    optional = {"name": "a", "configMap": {"name": "gone", "optional": True}}
    root = {"name": "b", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}}
    line.add("pod", pod("harmless", files=None, ready=False, volumes=[optional, root]))
    assert line.violations() == []


def test_4_terminating_and_finished_pods_do_not_count() -> None:
    line = installed()
    finished = pod("finished", ready=False)
    finished["status"]["phase"] = "Succeeded"
    line.add("pod", finished, pod("new", files=None))
    line.start_termination(pod("p-0"))
    before = len(line.broken())
    line.delete("configmap", config_map("files-a"))
    assert len(line.broken()) == before


def test_7_fewer_ready_than_the_strategy_allows() -> None:
    line = installed(4)
    line.terminate(pod("p-0"))
    assert line.violations() == [], "one of four may be unavailable: 25 %"
    line.terminate(pod("p-1"))
    assert line.broken() == [7]
    assert "2 of 4 gateway pods are ready, and the strategy requires 3" in line.violations()[0].text


def test_7_a_pod_that_is_not_ready_does_not_count() -> None:
    line = installed(1)
    line.modify("pod", pod("p-0", ready=False))
    assert line.broken() == [7]


def test_7_holds_from_when_all_pods_were_ready_until_the_deployment_is_deleted() -> None:
    line = Timeline()
    line.start_recording()
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
    line.add("dep", deployment(2))
    assert line.violations() == [], "a new Deployment starts again"


def test_7_more_replicas_count_once_they_were_ready_and_fewer_at_once() -> None:
    line = installed(2, strategy={"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}})
    line.modify("dep", deployment(4, {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}))
    assert line.violations() == [], "two are still enough"
    line.modify("dep", deployment(1))
    line.terminate(pod("p-0"))
    assert line.violations() == []
    line.terminate(pod("p-1"))
    assert line.broken() == [7]


def test_7_what_fewer_replicas_allow_holds_before_there_are_fewer() -> None:
    half = {"rollingUpdate": {"maxUnavailable": "50%"}}
    line = installed(10, strategy=half)
    for index in range(5):
        line.terminate(pod(f"p-{index}"))
    line.modify("dep", deployment(6, half))
    line.terminate(pod("p-5"))
    assert line.violations() == [], "four of six, and three are enough"


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
