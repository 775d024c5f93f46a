"""A gateway on the embedded platform: the real ingress controller, the simulated Kong, probes, and port-forwards."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local import paths
from local.kubelet import faults
from local.platform import Platform
from tests.live.commands import CommandFailed, wait_until
from tests.live.helm_gateway import HelmGateway
from tests.live.port_forward import port_forward

NewGateway = Callable[..., HelmGateway]


@pytest.fixture
def new_gateway(platform: Platform) -> Iterator[NewGateway]:
    """Installs gateways and removes them at the end."""
    made: list[HelmGateway] = []

    def make(**values: Any) -> HelmGateway:
        gateway = HelmGateway(platform)
        made.append(gateway)
        gateway.install(**values)
        return gateway

    yield make
    for gateway in made:
        faults.clear(gateway.name)
        gateway.remove()


def controllers() -> list[int]:
    """Returns the process ids of this platform's ingress controllers."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                where = (folder / "cwd").readlink()
                words = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if where.is_relative_to(paths.KUBELET) and b"kong-ingress-controller" in words:
                found.append(int(folder.name))
    return found


def test_a_pod_is_ready_when_kong_has_its_configuration(new_gateway: NewGateway) -> None:
    gateway = new_gateway()
    assert all(item["ready"] for item in gateway.containers().values())
    assert gateway.request("/status/ready", port=8100, tls=False) == {"message": "ready"}
    assert gateway.pod()["status"]["podIP"].startswith("10.")


def test_the_controller_configures_the_plugins_of_its_class_only(new_gateway: NewGateway) -> None:
    gateway = new_gateway()
    gateway.apply_plugin(f"{gateway.name}-other", ingress_class="another", level="high")
    gateway.apply_plugin(f"{gateway.name}-mine", level="high")
    wait_until(lambda: gateway.enabled_plugins() == [("foo", {"level": "high"})])
    gateway.apply_plugin(f"{gateway.name}-mine")
    wait_until(lambda: gateway.enabled_plugins() == [("foo", {"level": "low"})])
    assert gateway.request("/")["plugins"]["available_on_server"]["foo"] == {"version": "1.0.0", "priority": 1000}


def test_two_global_plugins_of_one_class_are_both_dropped(new_gateway: NewGateway) -> None:
    gateway = new_gateway()
    gateway.apply_plugin(f"{gateway.name}-a")
    wait_until(lambda: len(gateway.enabled_plugins()) == 1)
    gateway.apply_plugin(f"{gateway.name}-b")
    wait_until(lambda: gateway.enabled_plugins() == [])


def test_a_rejected_plugin_gets_an_event_and_later_changes_are_not_applied(new_gateway: NewGateway) -> None:
    gateway = new_gateway()
    gateway.apply_plugin(f"{gateway.name}-bad", plugin="bar")
    message = "plugin 'bar' not enabled; add it to the 'plugins' configuration property"

    def reported() -> bool:
        found = gateway.events("KongConfigurationApplyFailed", "KongClusterPlugin")
        return any(f"{gateway.name}-bad" in item and message in item for item in found)

    wait_until(reported)
    gateway.apply_plugin(f"{gateway.name}-good", level="high")
    time.sleep(2)
    assert gateway.enabled_plugins() == []
    gateway.kubectl("delete", "kongclusterplugin", f"{gateway.name}-bad")
    wait_until(lambda: gateway.enabled_plugins() == [("foo", {"level": "high"})])


def test_the_webhook_rejects_a_plugin_that_the_running_kong_lacks(new_gateway: NewGateway) -> None:
    gateway = new_gateway(ingressController={"admissionWebhook": {"enabled": True}})
    with pytest.raises(CommandFailed, match=r"denied the request.*plugin 'bar' not enabled"):
        gateway.apply_plugin(f"{gateway.name}-bar", plugin="bar", webhooks=True)
    with pytest.raises(CommandFailed, match="denied the request"):
        gateway.apply_plugin(f"{gateway.name}-bar", plugin="bar", ingress_class="another", webhooks=True)
    with pytest.raises(CommandFailed, match=r"config\.nope: unknown field|plugin 'foo' not enabled"):
        gateway.apply_plugin(f"{gateway.name}-foo", nope=1, webhooks=True)
    gateway.apply_plugin(f"{gateway.name}-cors", plugin="cors", webhooks=True)


@pytest.mark.parametrize("policy", ["Ignore", "Fail"])
def test_without_a_ready_pod_the_failure_policy_of_the_webhook_applies(new_gateway: NewGateway, policy: str) -> None:
    gateway = new_gateway(ingressController={"admissionWebhook": {"enabled": False}})
    gateway.kubectl("scale", "deployment", "--all", "--replicas", "0", "--namespace", gateway.name)
    wait_until(lambda: not gateway.pods())
    own = {
        "failurePolicy": policy,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": gateway.name}},
        "matchConditions": [{"name": "ours", "expression": f"object.metadata.name.startsWith('{gateway.name}')"}],
    }
    admission = {"ingressClass": gateway.name, "admissionWebhook": {"enabled": True, **own}}
    gateway.upgrade(wait=False, replicaCount=0, ingressController=admission)
    if policy == "Fail":
        with pytest.raises(CommandFailed, match="failed calling webhook"):
            gateway.apply_plugin(f"{gateway.name}-cors", plugin="cors", webhooks=True)
    else:
        gateway.apply_plugin(f"{gateway.name}-cors", plugin="cors", webhooks=True)


def test_a_kong_without_the_files_of_a_plugin_never_becomes_ready(new_gateway: NewGateway) -> None:
    gateway = new_gateway(wait=False, env={"plugins": "bundled,foo,bar"})

    def crashes() -> bool:
        if not gateway.pods():
            return False
        proxy = gateway.containers().get("proxy", {})
        last = proxy.get("lastState", {}).get("terminated", {}).get("message", "")
        waiting = proxy.get("state", {}).get("waiting", {}).get("reason")
        return waiting == "CrashLoopBackOff" and "bar plugin is enabled but not installed" in last

    wait_until(crashes)
    assert not gateway.containers()["ingress-controller"]["ready"]


def test_an_image_that_cannot_be_pulled_blocks_a_rollout(new_gateway: NewGateway) -> None:
    gateway = new_gateway()
    before = gateway.pod()["metadata"]["name"]
    sidecar = {"name": "extra", "image": "registry.invalid/extra:1"}
    gateway.upgrade(wait=False, deployment={"sidecarContainers": [sidecar]})

    def stuck() -> bool:
        new = [item for item in gateway.pods() if item["metadata"]["name"] != before]
        states = [
            item["state"].get("waiting", {}).get("reason")
            for pod in new
            for item in pod["status"].get("containerStatuses", [])
            if item["name"] == "extra"
        ]
        return states in (["ErrImagePull"], ["ImagePullBackOff"])

    wait_until(stuck)
    ready = {
        pod["metadata"]["name"]: condition["status"]
        for pod in gateway.pods()
        for condition in pod["status"]["conditions"]
        if condition["type"] == "Ready"
    }
    assert ready.pop(before) == "True"
    assert list(ready.values()) == ["False"]


def test_the_controller_has_the_permissions_of_the_chart(new_gateway: NewGateway) -> None:
    gateway = new_gateway()
    (file,) = (paths.KUBELET / "pods").glob(f"{gateway.pod()['metadata']['uid']}/kubeconfig")
    allowed = ("auth", "can-i", "--kubeconfig", str(file), "--namespace", gateway.name)
    assert gateway.kubectl(*allowed, "create", "events").strip() == "yes"
    with pytest.raises(CommandFailed):
        gateway.kubectl(*allowed, "delete", "pods")


def test_a_kubectl_port_forward_reaches_the_pod(new_gateway: NewGateway) -> None:
    gateway = new_gateway()
    pod = gateway.pod()["metadata"]["name"]
    with port_forward(gateway.platform.env, gateway.name, f"pod/{pod}", 10254) as address:
        assert gateway.run("curl", "--silent", "--fail", "--max-time", "5", f"http://{address}/readyz") == "ok"


def test_faults_affect_the_simulated_processes(new_gateway: NewGateway) -> None:
    gateway = new_gateway()
    faults.inject(gateway.name, kong_config="not today")
    gateway.apply_plugin(f"{gateway.name}-mine")
    wanted = f"{gateway.name}-mine: "

    def reported() -> bool:
        found = gateway.events("KongConfigurationApplyFailed", "KongClusterPlugin")
        return any(item.startswith(wanted) and "not today" in item for item in found)

    wait_until(reported)
    assert gateway.enabled_plugins() == []
    faults.clear(gateway.name)
    wait_until(lambda: len(gateway.enabled_plugins()) == 1)


def test_a_tme_answers_until_a_fault_is_injected(new_gateway: NewGateway) -> None:
    tme = {
        "name": "tme",
        "image": "docker.io/traceableai/traceable-agent:1.58.0",
        "readinessProbe": {"tcpSocket": {"port": 5442}},
    }
    gateway = new_gateway(deployment={"sidecarContainers": [tme]})
    assert gateway.request("/", port=5442, tls=False) == {}
    faults.inject(gateway.name, tme="silent")
    with pytest.raises(TimeoutError):
        gateway.request("/", port=5442, tls=False)
    assert gateway.containers()["tme"]["ready"], "its probe only connects"
    faults.inject(gateway.name, tme="closed")
    wait_until(lambda: not gateway.containers()["tme"]["ready"])
    faults.clear(gateway.name)
    wait_until(lambda: gateway.containers()["tme"]["ready"])


def test_controllers_end_with_their_pods_and_with_their_parent(new_gateway: NewGateway) -> None:
    gateway = new_gateway()
    assert controllers()
    running = Platform.ensure()
    pid = int((paths.KUBELET / "kubelet.json").read_text().split('"pid": ')[1].rstrip("}"))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not controllers())
    Platform.ensure()
    wait_until(lambda: all(item["ready"] for item in gateway.containers().values()) and controllers())
    assert gateway.request("/status/ready", port=8100, tls=False) == {"message": "ready"}
    assert running.kubeconfig.exists()
