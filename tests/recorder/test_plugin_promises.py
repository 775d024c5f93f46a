"""Promises 1 to 3, broken on purpose: what the plugin and the pods say of the TME and of the plugin's files."""

import dataclasses
from typing import Any

import pytest

from tests.recorder.timeline import GATEWAY, TME_CONTAINER, Timeline, config_map, installed, plugin, pod


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


def test_1_a_pod_of_another_namespace_may() -> None:
    line = installed()
    other = pod("other", tme=False, asks=True)
    other["metadata"]["namespace"] = "other"
    other["spec"]["volumes"] = []
    line.add("pod", other)
    assert line.violations() == []


def test_1_a_pod_that_was_on_its_way_out_before_the_recording_is_of_an_older_story() -> None:
    line = Timeline()
    line.add("pod", pod("bare", tme=False, asks=True, files=None))
    line.leave(pod("bare", tme=False, asks=True, files=None))
    line.begins()
    assert line.violations() == []


def test_1_the_tme_may_be_a_sidecar() -> None:
    line = installed()
    line.add("pod", pod("native", tme=False, asks=True, initContainers=[{**TME_CONTAINER, "restartPolicy": "Always"}]))
    assert line.violations() == []


@pytest.mark.parametrize(
    "spec",
    [
        {"initContainers": [TME_CONTAINER]},
        {"initContainers": [{"name": "t", "image": "traceable-agent", "restartPolicy": "Always"}]},
        {"initContainers": [{"name": "t", "image": "evil.example/traceable-agent:1", "restartPolicy": "Always"}]},
        {"ephemeralContainers": [TME_CONTAINER]},
    ],
)
def test_1_no_other_container_and_no_other_image_will_do(spec: dict[str, Any]) -> None:
    line = installed()
    line.add("pod", pod("like", tme=False, asks=True, **spec))
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


def test_2_a_pod_that_is_on_its_way_out_may_lack_the_tme() -> None:
    line = installed(mode="async")
    line.add("pod", pod("injected"))
    line.leave(pod("p-0", tme=False))
    line.modify("plugin", plugin("sync"))
    assert line.broken() == []


def test_2_another_plugin_of_the_gateway_asks_no_tme() -> None:
    line = installed(mode="async")
    line.add("plugin", {**plugin(None, name="another"), "plugin": "rate-limiting"})
    assert line.violations() == []


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
