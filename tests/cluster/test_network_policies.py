"""NetworkPolicies that allow a gateway's connections, and those that do not certainly allow them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceable_kong.cluster.network_policies import (
    NAMESPACE_NAME,
    Block,
    Flow,
    Outside,
    PodGroup,
    blocks,
    permission,
    pod_group,
)

Document = dict[str, Any]

GATEWAY = PodGroup(
    namespace="kong", labels={"app": "kong", "tier": "edge"}, namespace_labels={"team": "api", NAMESPACE_NAME: "kong"}
)
AGENT = PodGroup(namespace="traceable", labels={"app": "agent"}, named_ports={"rest": 5442, "grpc": 5441})
FLOW = Flow(source=GATEWAY, destination=AGENT, ports=(5442,))
TO_AGENT: Document = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "traceable"}}}
FROM_KONG: Document = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "kong"}}}


def policy(name: str = "p", namespace: str = "kong", **spec: Any) -> Document:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": {}, **spec}}


def egress(*rules: Document, **spec: Any) -> Document:
    return policy(policyTypes=["Egress"], egress=list(rules), **spec)


def ingress(*rules: Document, **spec: Any) -> Document:
    return policy(namespace="traceable", policyTypes=["Ingress"], ingress=list(rules), **spec)


def port(number: int | str | None, **more: Any) -> Document:
    return {"ports": [{**({} if number is None else {"port": number}), **more}]}


OPEN = [
    ([], "no policy"),
    ([policy(policyTypes=["Ingress"], namespace="kong")], "only what comes to the gateway"),
    ([egress(podSelector={"matchLabels": {"app": "other"}})], "other pods"),
    ([egress(namespace="elsewhere")], "another namespace"),
    ([policy(namespace="kong", egress=[])], "without policyTypes and rules it is about ingress only"),
    ([policy(namespace="traceable", policyTypes=["Egress"])], "only what leaves the agent"),
    ([egress({})], "an empty rule is every peer and port"),
    ([egress({"to": []})], "no peers are every peer"),
    ([egress({"to": [TO_AGENT]})], "every port"),
    ([egress({"to": [{"namespaceSelector": {}}]})], "every namespace"),
    ([egress({"to": [{**TO_AGENT, "podSelector": {"matchLabels": {"app": "agent"}}}]})], "both selectors"),
    ([egress({"to": [{"podSelector": {}}, TO_AGENT]})], "one of two peers"),
    ([egress(port(5442))], "the port"),
    ([egress(port(5442, protocol="TCP"))], "the port, with its protocol"),
    ([egress(port(None, protocol="TCP"))], "every TCP port"),
    ([egress({"ports": []})], "no ports are every port"),
    ([egress(port(5000, endPort=6000))], "a range"),
    ([egress(port(5442, endPort=5442))], "a range of one"),
    ([egress(port("rest"))], "the name of the agent's port"),
    ([egress({"ports": [{"port": 53, "protocol": "UDP"}, {"port": 5442}]})], "one of two ports"),
    ([egress(), egress(port(5442), name="q")], "policies add up"),
    ([egress(), egress({"to": [TO_AGENT], "ports": [{"port": 5442}]}, name="q"), ingress({})], "and ingress is open"),
    ([ingress({})], "an empty rule is every peer"),
    ([ingress({"from": [FROM_KONG]})], "the gateway's namespace"),
    ([ingress({"from": [{"namespaceSelector": {"matchLabels": {"team": "api"}}}]})], "by a label of the namespace"),
    (
        [
            ingress(
                {
                    "from": [
                        {
                            "namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
                            "podSelector": {
                                "matchExpressions": [{"key": "tier", "operator": "In", "values": ["edge"]}]
                            },
                        }
                    ],
                    "ports": [{"port": "rest"}],
                }
            )
        ],
        "by expressions",
    ),
    ([ingress(podSelector={"matchLabels": {"app": "other"}})], "other pods than the agent's"),
]

DNS = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}

EGRESS_CLOSED = [
    ([egress()], "no rule"),
    ([policy(policyTypes=["Ingress", "Egress"])], "without the key"),
    ([policy(policyTypes=["Egress"], egress=None)], "null"),
    ([policy(egress=[DNS])], "without policyTypes rules make it about egress"),
    ([egress(DNS)], "DNS only"),
    ([egress({"to": [{"podSelector": {}}]})], "pods of the gateway's own namespace"),
    ([egress({"to": [{"podSelector": {"matchLabels": {"app": "agent"}}}]})], "the agent's labels, in this namespace"),
    ([egress({"to": [{"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "other"}}}]})], "another namespace"),
    ([egress({"to": [{**TO_AGENT, "podSelector": {"matchLabels": {"app": "other"}}}]})], "other pods there"),
    ([egress({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]})], "addresses, which may not be those of pods"),
    ([egress({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]})], "addresses"),
    ([egress({"to": [{}]})], "a peer that is nobody"),
    ([egress(port(5441))], "another port"),
    ([egress(port(5442, protocol="UDP"))], "another protocol"),
    ([egress(port(None, protocol="SCTP"))], "another protocol, every port"),
    ([egress(port(5000, endPort=5441))], "a range that ends before"),
    ([egress(port(5443, endPort=6000))], "a range that begins after"),
    ([egress(port("grpc"))], "the name of another port"),
    ([egress(port("unknown"))], "a name that no container has"),
    ([egress({"to": [TO_AGENT], "ports": [{"port": 443}]}, {"to": [{"podSelector": {}}]})], "not in one rule"),
    ([egress(podSelector={"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db"]}]})], "NotIn"),
]

INGRESS_CLOSED = [
    ([ingress()], "no rule"),
    ([policy(namespace="traceable")], "without policyTypes it is about ingress"),
    ([ingress({"from": [{"podSelector": {}}]})], "the agent's own namespace"),
    ([ingress({"from": [{"podSelector": {"matchLabels": {"app": "kong"}}}]})], "the gateway's labels, there"),
    ([ingress({"from": [{"namespaceSelector": {"matchLabels": {"team": "web"}}}]})], "another team"),
    ([ingress({"from": [FROM_KONG], "ports": [{"port": 5443}]})], "another port"),
    ([ingress({"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]})], "addresses"),
    ([ingress({"from": [{**FROM_KONG, "podSelector": {"matchLabels": {"app": "web"}}}]})], "other pods there"),
]


@pytest.mark.parametrize("policies", [item for item, _ in OPEN], ids=[name for _, name in OPEN])
def test_policies_that_allow_the_connection(policies: list[Document]) -> None:
    assert blocks(policies, FLOW) == []


@pytest.mark.parametrize("policies", [item for item, _ in EGRESS_CLOSED], ids=[name for _, name in EGRESS_CLOSED])
def test_policies_that_block_egress(policies: list[Document]) -> None:
    assert blocks(policies, FLOW) == [Block(direction="egress", namespace="kong", policies=("p",))]


@pytest.mark.parametrize("policies", [item for item, _ in INGRESS_CLOSED], ids=[name for _, name in INGRESS_CLOSED])
def test_policies_that_block_ingress(policies: list[Document]) -> None:
    assert blocks(policies, FLOW) == [Block(direction="ingress", namespace="traceable", policies=("p",))]


def test_a_block_names_every_policy_that_selects_the_pods() -> None:
    found = blocks([egress(DNS), egress(name="a"), ingress(name="b"), egress(namespace="other")], FLOW)
    assert found == [
        Block(direction="egress", namespace="kong", policies=("a", "p")),
        Block(direction="ingress", namespace="traceable", policies=("b",)),
    ]


def test_one_of_several_ports_is_enough_if_it_is_the_same_on_both_sides() -> None:
    flow = Flow(source=GATEWAY, destination=AGENT, ports=(5441, 5442, 5443))
    assert blocks([egress(port(5443)), ingress(port(5442, endPort=5443))], flow) == []
    assert [item.direction for item in blocks([egress(port(5441)), ingress(port(5442))], flow)] == ["egress", "ingress"]
    assert [item.direction for item in blocks([egress(port(53)), ingress(port(5442))], flow)] == ["egress"]


def test_one_policy_can_block_both_directions_in_one_namespace() -> None:
    agent = PodGroup(namespace="kong", labels={"app": "agent"})
    flow = Flow(source=GATEWAY, destination=agent, ports=(5442,))
    both = policy(policyTypes=["Ingress", "Egress"])
    assert [item.direction for item in blocks([both], flow)] == ["egress", "ingress"]
    within = policy(policyTypes=["Ingress", "Egress"], egress=[{"to": [{"podSelector": {}}]}], ingress=[{}])
    assert blocks([within], flow) == []


def test_policies_do_not_apply_to_pods_in_the_host_network() -> None:
    host = PodGroup(namespace="kong", labels=GATEWAY.labels, host_network=True)
    flow = Flow(source=host, destination=AGENT, ports=(5442,))
    assert blocks([egress()], flow) == []
    assert [item.direction for item in blocks([ingress({"from": [FROM_KONG]})], flow)] == ["ingress"]
    assert blocks([ingress(port(5442))], flow) == []


@pytest.mark.parametrize(
    ("host", "peers", "is_open"),
    [
        ("agent.example.com", None, True),
        ("agent.example.com", [{"ipBlock": {"cidr": "0.0.0.0/0"}}], True),
        ("agent.example.com", [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}], False),
        ("agent.example.com", [{"ipBlock": {"cidr": "192.0.2.0/24"}}], False),
        ("agent.example.com", [{"namespaceSelector": {}}], False),
        ("192.0.2.7", [{"ipBlock": {"cidr": "192.0.2.0/24"}}], True),
        ("192.0.2.7", [{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.0/28"]}}], False),
        ("192.0.2.7", [{"ipBlock": {"cidr": "198.51.100.0/24"}}], False),
        ("2001:db8::7", [{"ipBlock": {"cidr": "2001:db8::/32"}}], True),
        ("2001:db8::7", [{"ipBlock": {"cidr": "0.0.0.0/0"}}], False),
    ],
)
def test_an_agent_outside_the_cluster(host: str, peers: list[Document] | None, is_open: bool) -> None:
    flow = Flow(source=GATEWAY, destination=Outside(host=host), ports=(443,))
    rule = port(443) | ({} if peers is None else {"to": peers})
    assert (blocks([egress(rule), ingress()], flow) == []) is is_open
    assert blocks([egress(port(5442))], flow) != []


def test_the_group_of_a_pod() -> None:
    pod = {
        "metadata": {"name": "a", "namespace": "traceable", "labels": {"app": "agent"}},
        "spec": {
            "hostNetwork": True,
            "containers": [
                {"name": "a", "ports": [{"name": "rest", "containerPort": 5442}, {"containerPort": 5441}]},
                {"name": "b", "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]},
            ],
        },
    }
    assert pod_group(pod, {"team": "sec"}) == PodGroup(
        namespace="traceable",
        labels={"app": "agent"},
        namespace_labels={"team": "sec"},
        named_ports={"rest": 5442},
        host_network=True,
    )
    assert pod_group({"metadata": {"namespace": "a"}}, {}) == PodGroup(namespace="a", labels={})


SELECTORS = st.sampled_from([{}, {"matchLabels": {"app": "kong"}}, {"matchLabels": {"app": "agent"}}])
PEERS = st.sampled_from(
    [{"podSelector": {}}, {"namespaceSelector": {}}, TO_AGENT, FROM_KONG, {"ipBlock": {"cidr": "0.0.0.0/0"}}]
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "to": st.lists(PEERS, max_size=2),
        "from": st.lists(PEERS, max_size=2),
        "ports": st.lists(st.sampled_from([{"port": 53}, {"port": 5442}, {"port": "rest"}, {}]), max_size=2),
    },
)
POLICIES = st.lists(
    st.builds(
        policy,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["kong", "traceable"]),
        podSelector=SELECTORS,
        policyTypes=st.sampled_from([[], ["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
        ingress=st.lists(RULES, max_size=2),
        egress=st.lists(RULES, max_size=2),
    ),
    max_size=4,
)
DESTINATIONS = st.sampled_from([AGENT, PodGroup(namespace="kong", labels={"app": "agent"}), Outside(host="a.example")])


@given(policies=POLICIES, destination=DESTINATIONS)
def test_the_proposed_policy_allows_the_connection(policies: list[Document], destination: PodGroup | Outside) -> None:
    flow = Flow(source=GATEWAY, destination=destination, ports=(5441, 5442))
    found = blocks(policies, flow)
    sides = {"egress": {"matchLabels": {"app": "kong"}}, "ingress": {"matchLabels": {"app": "agent"}}}
    proposed = [permission(flow, block, sides[block.direction]) for block in found]
    assert blocks([*policies, *proposed], flow) == []


@given(policies=POLICIES, more=POLICIES)
def test_another_policy_for_isolated_pods_never_blocks_more(policies: list[Document], more: list[Document]) -> None:
    closed = policy("closed", policyTypes=["Ingress", "Egress"])
    there = policy("there", namespace="traceable", policyTypes=["Ingress", "Egress"])
    if blocks([closed, there, *policies], FLOW) == []:
        assert blocks([closed, there, *policies, *more], FLOW) == []
