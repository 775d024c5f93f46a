"""NetworkPolicies that block the gateway's way to the agent: a warning with a policy that opens it."""

import json
import re
import shlex
from typing import Any

from tests.fakes.preflight_cluster import EXTERNAL_AGENT, FakeKubernetes, container, passes, put_kong, warned
from traceable_kong.cluster.api_objects import NAMESPACES, network_policies, pods, services

Document = dict[str, Any]

LABELS = {"app.kubernetes.io/instance": "quickstart", "app.kubernetes.io/component": "app"}
ASYNC: dict[str, Any] = {"mode": "async"}
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


def test_without_policies_it_passes(kube: FakeKubernetes) -> None:
    passes(kube)
    closed(kube, "elsewhere")
    passes(kube)


def test_a_gateway_without_egress(kube: FakeKubernetes) -> None:
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
    assert "(TCP 5441 or 5442 or 5443)" in warned(kube)
    closed(kube, "kong", egress=[{"ports": [{"port": 5443}]}])
    passes(kube)


def test_an_agent_without_ingress(kube: FakeKubernetes) -> None:
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


def test_in_sync_the_injectors_label_opens_the_agents_namespace(kube: FakeKubernetes) -> None:
    """The stack puts it there before the TME comes."""
    labelled = {"namespaceSelector": {"matchLabels": {"traceableai-inject-tme": "enabled"}}}
    closed(kube, "traceable", ingress=[{"from": [labelled]}])
    passes(kube)
    assert "deny in namespace traceable" in warned(kube, **ASYNC)


def test_existing_pods_are_matched_by_their_own_labels(kube: FakeKubernetes) -> None:
    put_kong(kube, container())
    service = {"spec": {"selector": {"own": "agent"}, "ports": [{"port": 5442, "targetPort": "rest"}]}}
    kube.put(f"{services('traceable')}/agent", service)
    kube.put(
        f"{pods('traceable')}/agent-1",
        {
            "metadata": {"labels": {"own": "agent", "tier": "sec"}},
            "spec": {"containers": [{"name": "a", "ports": [{"name": "rest", "containerPort": 8080}]}]},
        },
    )
    kube.put(f"{NAMESPACES}/kong", {"metadata": {"labels": {"team": "api"}}}, owned=True)
    team = {"namespaceSelector": {"matchLabels": {"team": "api"}}}
    closed(kube, "traceable", podSelector={"matchLabels": {"tier": "sec"}}, ingress=[{"from": [team]}])
    closed(kube, "kong", egress=[{"ports": [{"port": 5442}]}])
    text = warned(kube, **ASYNC)
    assert "deny in namespace kong" in text and "(TCP 8080)" in text
    assert proposed(kube, **ASYNC)["spec"]["podSelector"] == {"matchLabels": {"a": "kong"}}


def test_an_agent_outside_the_cluster(kube: FakeKubernetes) -> None:
    closed(kube, "kong")
    assert "no egress to the agent at agent.example.com (TCP 443)" in warned(kube, **EXTERNAL_AGENT)
    follow(kube, proposed(kube, **EXTERNAL_AGENT))
    passes(kube, **EXTERNAL_AGENT)


def test_a_disabled_plugin_needs_no_way(kube: FakeKubernetes) -> None:
    closed(kube, "kong")
    passes(kube, enabled=False)


def test_unreadable_policies_are_a_warning(kube: FakeKubernetes) -> None:
    kube.denied[network_policies("kong")] = 403
    text = warned(kube)
    assert "network policies on the way to the agent" in text and "could not be checked" in text
