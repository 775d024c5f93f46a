"""Promises 1 to 3, broken on purpose: the plugin, the TME, and the plugin's files."""

import dataclasses
from typing import Any

import pytest

from tests.recorder.timeline import GATEWAY, TME_CONTAINER, Timeline, config_map, installed, plugin, pod


def test_1_a_pod_that_requests_the_tme_and_starts_without_it() -> None:
    line = installed()
    line.add("pod", pod("bare", tme=False, requests_tme=True, ready=False))
    assert line.broken() == [1]
    assert "bare requests the TME" in line.violations()[0].text
    assert line.broken(dataclasses.replace(GATEWAY, policy_denies=False)) == []


def test_1_other_pods_of_the_namespace_may_start_without_it() -> None:
    line = installed()
    other = pod("other", tme=False, requests_tme=True)
    other["metadata"]["labels"] = {"app": "other"}
    line.add("pod", other)
    assert line.violations() == []


def test_1_pods_of_another_namespace_may_start_without_it() -> None:
    line = installed()
    other = pod("other", tme=False, requests_tme=True)
    other["metadata"]["namespace"] = "other"
    other["spec"]["volumes"] = []
    line.add("pod", other)
    assert line.violations() == []


def test_1_a_pod_that_terminates_since_before_the_recording_does_not_count() -> None:
    line = Timeline()
    line.add("pod", pod("bare", tme=False, requests_tme=True, files=None))
    line.start_termination(pod("bare", tme=False, requests_tme=True, files=None))
    line.start_recording()
    assert line.violations() == []


def test_1_the_tme_may_be_a_sidecar() -> None:
    line = installed()
    line.add(
        "pod",
        pod("native", tme=False, requests_tme=True, initContainers=[{**TME_CONTAINER, "restartPolicy": "Always"}]),
    )
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
def test_1_no_other_kind_of_container_and_no_other_image_is_the_tme(spec: dict[str, Any]) -> None:
    line = installed()
    line.add("pod", pod("like", tme=False, requests_tme=True, **spec))
    assert line.broken() == [1, 2]


def test_2_the_tme_is_removed_before_the_plugin_changes() -> None:
    line = installed()
    line.replace(pod("p-0"), pod("bare", tme=False))
    assert line.broken() == [2]


def test_2_the_plugin_is_in_sync_mode_before_the_tme_exists() -> None:
    line = installed(mode="async")
    line.modify("plugin", plugin("sync"))
    assert line.broken() == [2]


def test_2_the_default_mode_is_sync() -> None:
    line = installed(mode="async")
    line.modify("plugin", plugin(None))
    assert line.broken() == [2]


def test_2_every_beginning_is_one_violation() -> None:
    line = installed(mode="async")
    line.modify("plugin", plugin("sync"))
    line.add("configmap", config_map("more"))
    line.modify("plugin", plugin("async"))
    line.modify("plugin", plugin("sync"))
    assert line.broken() == [2, 2]


@pytest.mark.parametrize(
    "harmless", [plugin("sync", disabled=True), plugin("sync", ingress_class="other"), plugin("async")]
)
def test_2_a_plugin_that_is_disabled_or_of_another_class_or_async_breaks_nothing(harmless: dict[str, Any]) -> None:
    line = installed(mode="async")
    line.modify("plugin", harmless)
    assert line.violations() == []


def test_2_a_pod_that_does_not_serve_may_lack_the_tme() -> None:
    line = installed()
    line.add("pod", pod("waiting", tme=False, ready=False))
    assert line.violations() == []
    line.modify("pod", pod("waiting", tme=False))
    assert line.broken() == [2]


def test_2_a_terminating_pod_may_lack_the_tme() -> None:
    line = installed(mode="async")
    line.add("pod", pod("injected"))
    line.start_termination(pod("p-0", tme=False))
    line.modify("plugin", plugin("sync"))
    assert line.broken() == []


def test_2_other_plugins_of_the_gateway_need_no_tme() -> None:
    line = installed(mode="async")
    line.add("plugin", {**plugin(None, name="another"), "plugin": "rate-limiting"})
    assert line.violations() == []


@pytest.mark.parametrize("disabled", [False, True])
def test_3_the_plugin_exists_before_its_files(disabled: bool) -> None:
    line = Timeline()
    line.add("pod", pod("p-0", files=None))
    line.start_recording()
    line.add("plugin", plugin(disabled=disabled))
    assert line.broken() == [3]


def test_3_files_that_are_mounted_elsewhere_do_not_count() -> None:
    line = installed()
    strange = pod("strange")
    strange["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] = "/opt/kong/plugins/other"
    line.add("pod", strange)
    assert line.broken() == [3]


def test_3_files_in_another_container_do_not_count() -> None:
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
