"""NetworkPolicies that leave the gateway no way to the agent are warned about, with a policy that gives one."""

import json
import re
import shlex
from typing import Any

from tests.preflight.fake import FakeKubernetes, container, kong_stands, passes, warned
from traceable_kong.preflight.cached_reader import NAMESPACES, network_policies, pods, services

Document = dict[str, Any]

LABELS = {"app.kubernetes.io/instance": "quickstart", "app.kubernetes.io/component": "app"}
NEW: dict[str, Any] = {"gateway__pod_selector": {"matchLabels": LABELS}}
ASYNC: dict[str, Any] = {**NEW, "sync": False}
DENY: Document = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def closed(kube: FakeKubernetes, namespace: str, name: str = "deny", **spec: Any) -> None:
    document = {"metadata": {"name": name, "namespace": namespace}, "spec": {**DENY, **spec}}
    kube.put(f"{network_policies(namespace)}/{name}", document)


def proposed(kube: FakeKubernetes, **changes: Any) -> Document:
    """The policy of the single warning's command, as a shell would hand it to kubectl."""
    (command,) = re.findall(r"`(echo .*) \| kubectl apply --filename -`", warned(kube, **changes), re.DOTALL)
    echo, text = shlex.split(command)
    assert echo == "echo"
    return dict(json.loads(text))


def follow(kube: FakeKubernetes, policy: Document) -> None:
    metadata = policy["metadata"]
    kube.put(f"{network_policies(metadata['namespace'])}/{metadata['name']}", policy)


def test_without_policies_nothing_is_said(kube: FakeKubernetes) -> None:
    passes(kube, **NEW)
    closed(kube, "elsewhere")
    passes(kube, **NEW)


def test_a_gateway_that_may_not_leave_its_namespace(kube: FakeKubernetes) -> None:
    closed(kube, "kong", "deny-all")
    text = warned(kube, **ASYNC)
    assert "networkpolicy deny-all in namespace kong" in text
    assert "no egress to the agent in namespace traceable (TCP 5442)" in text
    policy = proposed(kube, **ASYNC)
    assert policy["spec"]["podSelector"] == {"matchLabels": LABELS}
    follow(kube, policy)
    passes(kube, **ASYNC)


def test_in_sync_the_tme_needs_one_of_the_agents_ports(kube: FakeKubernetes) -> None:
    closed(kube, "kong")
    assert "(TCP 5441 or 5442 or 5443)" in warned(kube, **NEW)
    closed(kube, "kong", egress=[{"ports": [{"port": 5443}]}])
    passes(kube, **NEW)


def test_an_agent_that_lets_nobody_in(kube: FakeKubernetes) -> None:
    closed(kube, "traceable", "deny-all")
    closed(kube, "traceable", "also")
    text = warned(kube, **ASYNC)
    assert "networkpolicy also, deny-all in namespace traceable" in text
    assert "select the agent's pods and allow no ingress from the gateway to" in text
    policy = proposed(kube, **ASYNC)
    assert policy["spec"]["podSelector"] == {
        "matchLabels": {"app.kubernetes.io/name": "traceable-agent", "app.kubernetes.io/instance": "traceable-agent"}
    }
    follow(kube, policy)
    passes(kube, **ASYNC)


def test_in_sync_the_label_of_the_injector_opens_the_agents_namespace(kube: FakeKubernetes) -> None:
    """The stack puts it there before the TME comes."""
    labelled = {"namespaceSelector": {"matchLabels": {"traceableai-inject-tme": "enabled"}}}
    closed(kube, "traceable", ingress=[{"from": [labelled]}])
    passes(kube, **NEW)
    assert "deny in namespace traceable" in warned(kube, **ASYNC)


def test_pods_that_are_there_are_asked_by_their_own_labels(kube: FakeKubernetes) -> None:
    kong_stands(kube, container())
    service = {"spec": {"selector": {"own": "agent"}, "ports": [{"port": 5442, "targetPort": "rest"}]}}
    kube.put(f"{services('traceable')}/agent", service)
    kube.put(
        f"{pods('traceable')}/agent-1",
        {
            "metadata": {"labels": {"own": "agent", "tier": "sec"}},
            "spec": {"containers": [{"name": "a", "ports": [{"name": "rest", "containerPort": 8080}]}]},
        },
    )
    kube.put(f"{NAMESPACES}/kong", {"metadata": {"labels": {"team": "api"}}}, ours=True)
    team = {"namespaceSelector": {"matchLabels": {"team": "api"}}}
    closed(kube, "traceable", podSelector={"matchLabels": {"tier": "sec"}}, ingress=[{"from": [team]}])
    closed(kube, "kong", egress=[{"ports": [{"port": 5442}]}])
    text = warned(kube, **ASYNC)
    assert "deny in namespace kong" in text and "(TCP 8080)" in text
    assert proposed(kube, **ASYNC)["spec"]["podSelector"] == {"matchLabels": {"a": "kong"}}


def test_an_agent_outside_the_cluster(kube: FakeKubernetes) -> None:
    config = {"mode": "async", "ext_cap_endpoint": "https://agent.example.com"}
    outside = {**ASYNC, "agent": None, "plugin__config": config}
    closed(kube, "kong")
    assert "no egress to the agent at agent.example.com (TCP 443)" in warned(kube, **outside)
    follow(kube, proposed(kube, **outside))
    passes(kube, **outside)


def test_where_nothing_is_to_be_protected_nothing_is_said(kube: FakeKubernetes) -> None:
    closed(kube, "kong")
    passes(kube, **{**NEW, "enabled": False})


def test_without_the_right_to_list_policies_it_warns(kube: FakeKubernetes) -> None:
    kube.denied[network_policies("kong")] = 403
    text = warned(kube, **NEW)
    assert "network policies on the way to the agent" in text and "could not be checked" in text
