"""A NetworkPolicy that may block the gateway's connection to the agent is reported as not checked."""

from typing import Any

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from tests.fakes.pod_servers import http
from tests.fakes.protected_cluster import cluster
from tests.fakes.protected_gateway import ASYNC, desired, evaluate, instance, pod
from traceable_kong.cluster import kubernetes_client
from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS
from traceable_kong.verification.observation import observe
from traceable_kong.verification.report import NOT_CHECKED, PROTECTED, Report

Document = dict[str, Any]

ASYNC_CONFIG = ASYNC["config"]
PLUGIN = f"{CLUSTER_PLUGINS}/traceable-plugin"


def policies(namespace: str) -> str:
    return f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"


def closed(kube: FakeKubernetes, namespace: str, name: str = "deny", **spec: Any) -> None:
    everything = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    kube.put(f"{policies(namespace)}/{name}", {"spec": {**everything, **spec}})


def in_async(*serving: Document) -> FakeKubernetes:
    fake = cluster(*(serving or (pod(tme=False),)), plugins=[instance(config=ASYNC_CONFIG)])
    fake.objects[PLUGIN]["config"] = ASYNC_CONFIG
    fake.listeners["agent-1", 5442] = http(lambda path: (404, b""))
    return fake


def report(kube: FakeKubernetes, **changes: Any) -> Report:
    expected = desired(**changes)
    found = evaluate(expected, observe(kube, expected))
    assert found.ok, found.text()
    return found


def test_without_network_policies_the_path_is_checked() -> None:
    found = report(cluster())
    assert (found.not_checked, found.verdict) == ((), PROTECTED)
    asked = cluster()
    observe(asked, desired())
    assert not [path for path, _ in asked.listed if path == "/api/v1/namespaces"], "nor are the namespaces read"


def test_egress_that_no_rule_allows_is_not_checked() -> None:
    fake = in_async()
    closed(fake, "gw")
    found = report(fake, **ASYNC)
    assert found.verdict == NOT_CHECKED
    assert found.not_checked == (
        "whether the gateway's pods reach the agent in namespace traceable (TCP 5442): NetworkPolicy gw/deny selects "
        "the gateway's pods and allows no such egress",
    )


def test_in_sync_the_path_is_from_the_tme_to_the_agent() -> None:
    fake = cluster()
    closed(fake, "traceable", "a")
    closed(fake, "traceable", "b")
    (reason,) = report(fake).not_checked
    assert "in namespace traceable (TCP 5441 or 5442 or 5443)" in reason
    assert "NetworkPolicies traceable/a and traceable/b select the agent's pods and allow no such ingress" in reason
    closed(fake, "traceable", "c", ingress=[{"ports": [{"port": 5443}]}])
    assert report(fake).not_checked == ()


def test_a_rule_that_selects_the_namespace_by_label() -> None:
    fake = cluster()
    closed(fake, "traceable", ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"team": "api"}}}]}])
    assert len(report(fake).not_checked) == 1
    fake.objects["/api/v1/namespaces/gw"]["metadata"]["labels"]["team"] = "api"
    assert report(fake).not_checked == ()
    fake.problems["/api/v1/namespaces/gw"] = forbidden()
    reason, _ = report(fake).not_checked
    assert "the permission to get namespaces is missing" in reason


def test_the_port_is_the_target_port_of_the_agents_service() -> None:
    fake = in_async()
    fake.objects["/api/v1/namespaces/traceable/services/agent"]["spec"]["ports"] = [{"port": 5442, "targetPort": 8080}]
    fake.listeners["agent-1", 8080] = fake.listeners["gw-1", 5442]
    closed(fake, "gw", egress=[{"ports": [{"port": 5442}]}])
    assert len(report(fake, **ASYNC).not_checked) == 1
    closed(fake, "gw", egress=[{"ports": [{"port": 8080}]}])
    assert report(fake, **ASYNC).not_checked == ()


def test_equal_reasons_are_reported_once() -> None:
    fake = in_async(pod("gw-1", tme=False), pod("gw-2", tme=False))
    closed(fake, "gw")
    assert len(report(fake, **ASYNC).not_checked) == 1


def test_an_agent_outside_the_cluster() -> None:
    config = {**ASYNC_CONFIG, "ext_cap_endpoint": "https://agent.example.com"}
    fake = cluster(pod(tme=False), plugins=[instance(config=config)])
    fake.objects[PLUGIN]["config"] = config
    closed(fake, "gw")
    (reason,) = report(fake, **{**ASYNC, "config": config}, agent_namespace=None).not_checked
    assert "the agent at agent.example.com (TCP 443): NetworkPolicy gw/deny" in reason


@pytest.mark.parametrize("namespace", ["gw", "traceable"])
def test_without_the_permission_to_list_policies_the_path_is_not_checked(namespace: str) -> None:
    fake = cluster()
    fake.problems[policies(namespace)] = forbidden()
    found = report(fake)
    assert found.verdict == NOT_CHECKED
    assert found.not_checked == (
        "whether NetworkPolicies let the gateway's pods reach the agent: the permission to list "
        f"networkpolicies.networking.k8s.io in namespace {namespace} is missing",
    )


def test_another_api_error_is_raised() -> None:
    fake = cluster()
    fake.problems[policies("gw")] = kubernetes_client.ApiError(500, "InternalError", "broken")
    with pytest.raises(kubernetes_client.ApiError, match="broken"):
        observe(fake, desired())


def test_a_disabled_or_uninstalled_plugin_needs_no_path() -> None:
    fake = cluster()
    fake.problems[policies("gw")] = AssertionError("asked for nothing")
    observe(fake, desired(enabled=False, injection=None))
    observe(fake, desired(installed=False, enabled=False, injection=None, files={}))
