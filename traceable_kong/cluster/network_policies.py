"""Whether NetworkPolicies (networking.k8s.io/v1) allow a connection to other pods or to an address outside the cluster.

The rules: https://kubernetes.io/docs/concepts/services-networking/network-policies/. Policies of other API groups
(Cilium, Calico, AdminNetworkPolicy) and whether the network enforces any of them are not known here.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from traceable_kong.cluster.pods import selected

Document = dict[str, Any]
Direction = Literal["egress", "ingress"]

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label that every namespace has, with its own name (since Kubernetes 1.22)."""

_EVERYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, kw_only=True)
class PodGroup:
    """Pods that NetworkPolicies treat alike. `named_ports` are their named TCP container ports."""

    namespace: str
    labels: Mapping[str, str]
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    named_ports: Mapping[str, int] = field(default_factory=dict)
    host_network: bool = False

    @property
    def labels_of_namespace(self) -> dict[str, str]:
        return {**self.namespace_labels, NAMESPACE_NAME: self.namespace}


@dataclass(frozen=True, kw_only=True)
class Outside:
    """A host outside the cluster: a name or an IP address."""

    host: str


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A needed TCP connection; one of `ports` is enough."""

    source: PodGroup
    destination: PodGroup | Outside
    ports: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Block:
    """The policies of one namespace that allow none of a flow's ports in one direction."""

    direction: Direction
    namespace: str
    policies: tuple[str, ...]


def pod_group(pod: Mapping[str, Any], namespace_labels: Mapping[str, str]) -> PodGroup:
    """The group of a pod, or of a pod template with `metadata.namespace`."""
    metadata, spec = pod["metadata"], pod.get("spec") or {}
    return PodGroup(
        namespace=metadata["namespace"],
        labels=metadata.get("labels") or {},
        namespace_labels=namespace_labels,
        named_ports={
            port["name"]: port["containerPort"]
            for container in spec.get("containers") or []
            for port in container.get("ports") or []
            if "name" in port and port.get("protocol", "TCP") == "TCP"
        },
        host_network=bool(spec.get("hostNetwork")),
    )


def blocks(policies: Iterable[Document], flow: Flow) -> list[Block]:
    """What blocks a flow; [] where at least one of its ports is allowed in both directions.

    A rule allows a flow only where it certainly covers it. An `ipBlock` never does for pods: their addresses, and
    whether the network applies the block to pods, are not known.
    """
    known = list(policies)
    allowed = {direction: _allowed(known, flow, direction) for direction in _directions(flow)}
    if set.intersection(*allowed.values()):
        return []
    closed = [direction for direction, ports in allowed.items() if not ports]
    return [_block(known, flow, direction) for direction in closed or allowed]


def permission(flow: Flow, block: Block, pod_selector: Mapping[str, Any]) -> Document:
    """A NetworkPolicy that allows the blocked flow; `pod_selector` selects the pods on the blocked side."""
    ports = [{"protocol": "TCP", "port": port} for port in flow.ports]
    rule: Document = {"ports": ports}
    other = flow.destination if block.direction == "egress" else flow.source
    if isinstance(other, PodGroup):
        peer = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: other.namespace}}}
        rule["to" if block.direction == "egress" else "from"] = [peer]
    name = "allow-egress-to-traceable-agent" if block.direction == "egress" else "allow-ingress-to-traceable-agent"
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": block.namespace},
        "spec": {
            "podSelector": dict(pod_selector),
            "policyTypes": [block.direction.capitalize()],
            block.direction: [rule],
        },
    }


def _directions(flow: Flow) -> Iterator[Direction]:
    yield "egress"
    if isinstance(flow.destination, PodGroup):
        yield "ingress"


def _block(policies: Sequence[Document], flow: Flow, direction: Direction) -> Block:
    side = _side(flow, direction)
    names = tuple(sorted(item["metadata"]["name"] for item in _isolating(policies, side, direction)))
    return Block(direction=direction, namespace=side.namespace, policies=names)


def _side(flow: Flow, direction: Direction) -> PodGroup:
    if direction == "egress":
        return flow.source
    assert isinstance(flow.destination, PodGroup)
    return flow.destination


def _isolating(policies: Sequence[Document], pods: PodGroup, direction: Direction) -> list[Document]:
    """The policies that apply to these pods in a direction. None apply to pods in the host network."""
    if pods.host_network:
        return []
    return [
        item
        for item in policies
        if item["metadata"]["namespace"] == pods.namespace
        and direction in _types(item["spec"])
        and selected(item["spec"].get("podSelector") or {}, pods.labels)
    ]


def _types(spec: Mapping[str, Any]) -> set[str]:
    """The directions of a policy. Without policyTypes: ingress, and egress where it has egress rules."""
    given = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return {str(item).lower() for item in given}


def _allowed(policies: Sequence[Document], flow: Flow, direction: Direction) -> set[int]:
    side = _side(flow, direction)
    isolating = _isolating(policies, side, direction)
    if not isolating:
        return set(flow.ports)
    other = flow.destination if direction == "egress" else flow.source
    rules = [
        rule
        for item in isolating
        for rule in item["spec"].get(direction) or []
        if _covers_peer(rule.get("to" if direction == "egress" else "from"), side.namespace, other)
    ]
    named = flow.destination.named_ports if isinstance(flow.destination, PodGroup) else {}
    return {port for port in flow.ports for rule in rules if _covers_port(rule.get("ports"), port, named)}


def _covers_peer(peers: Sequence[Document] | None, namespace: str, other: PodGroup | Outside) -> bool:
    """True where a rule of a policy in `namespace` covers the other end; without peers it covers all."""
    if not peers:
        return True
    if isinstance(other, Outside):
        return any(_covers_address(peer["ipBlock"], other.host) for peer in peers if peer.get("ipBlock"))
    return not other.host_network and any(_covers_pods(peer, namespace, other) for peer in peers)


def _covers_pods(peer: Mapping[str, Any], namespace: str, other: PodGroup) -> bool:
    """True where a peer covers these pods. An empty selector (all) and an absent one differ."""
    if peer.get("ipBlock"):
        return False
    namespaces, pods = peer.get("namespaceSelector"), peer.get("podSelector")
    if namespaces is None and pods is None:
        return False
    in_namespace = (
        other.namespace == namespace if namespaces is None else selected(namespaces, other.labels_of_namespace)
    )
    return in_namespace and (pods is None or selected(pods, other.labels))


def _covers_address(block: Mapping[str, Any], host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        # A host name: only a block for every address without exceptions certainly covers it.
        return block["cidr"] in _EVERYWHERE and not block.get("except")
    network = ipaddress.ip_network(block["cidr"], strict=False)
    excepted = [ipaddress.ip_network(item, strict=False) for item in block.get("except") or []]
    return address in network and not any(address in item for item in excepted)


def _covers_port(ports: Sequence[Document] | None, wanted: int, named: Mapping[str, int]) -> bool:
    """True where the ports of a rule cover a TCP port; without ports it covers all."""
    if not ports:
        return True
    for item in ports:
        if item.get("protocol", "TCP") != "TCP":
            continue
        first = item.get("port")
        if first is None:
            return True
        if isinstance(first, str):
            if named.get(first) == wanted:
                return True
        elif first <= wanted <= (item.get("endPort") or first):
            return True
    return False
