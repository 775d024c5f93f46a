"""NetworkPolicies that may block the gateway's connection to the agent, which cannot be observed from outside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from traceable_kong.cluster.agent_connections import described, flow_outside, flow_to_agent
from traceable_kong.cluster.api_objects import NAMESPACES, network_policies
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient
from traceable_kong.cluster.network_policies import Block, Flow, PodGroup, blocks, pod_group
from traceable_kong.cluster.pods import is_ready
from traceable_kong.plan.model import DesiredState
from traceable_kong.verification.object_reads import ObservedObject, Unreadable, read

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class NetworkObservation:
    """The NetworkPolicies in the gateway's and the agent's namespace.

    `namespaces` are these namespaces, read only if there is a policy; `unlisted` are those whose policies may not be
    listed.
    """

    policies: Sequence[Document] = ()
    namespaces: Mapping[str, ObservedObject] = field(default_factory=dict)
    unlisted: tuple[str, ...] = ()


def observe_network(api: KubernetesClient, desired: DesiredState) -> NetworkObservation:
    """Raises ApiError or Unreachable."""
    if not (desired.installed and desired.plugin.enabled):
        return NetworkObservation()
    policies: list[Document] = []
    unlisted: list[str] = []
    wanted = sorted({desired.deployment.namespace, desired.agent_namespace or desired.deployment.namespace})
    for namespace in wanted:
        try:
            policies += api.list(network_policies(namespace))
        except ApiError as problem:
            if problem.status != 403:
                raise
            unlisted.append(namespace)
    namespaces = {name: read(api, "Namespace", f"{NAMESPACES}/{name}") for name in wanted} if policies else {}
    return NetworkObservation(policies=policies, namespaces=namespaces, unlisted=tuple(unlisted))


def unknown_paths(
    desired: DesiredState,
    network: NetworkObservation,
    *,
    serving: Sequence[Document],
    agents: Sequence[Document],
    service: Document | None,
) -> Iterator[str]:
    """Reasons why it is not certain that the gateway's pods reach the agent."""
    for namespace in network.unlisted:
        yield (
            "whether NetworkPolicies let the gateway's pods reach the agent: the permission to list "
            f"networkpolicies.networking.k8s.io in namespace {namespace} is missing"
        )
    found = {
        (block, described(flow)): None
        for flow in _flows(desired, network, serving, agents, service)
        for block in blocks(network.policies, flow)
    }
    for block, destination in found:
        yield _sentence(block, destination, network)


def _flows(
    desired: DesiredState,
    network: NetworkObservation,
    serving: Sequence[Document],
    agents: Sequence[Document],
    service: Document | None,
) -> Iterator[Flow]:
    for pod in serving:
        source = _group(pod, network)
        if not desired.agent_namespace:
            yield flow_outside(source, desired.plugin.endpoint)
        for agent in filter(is_ready, agents):
            yield flow_to_agent(source, _group(agent, network), service, sync=desired.injection is not None)


def _group(pod: Document, network: NetworkObservation) -> PodGroup:
    namespace = network.namespaces.get(pod["metadata"]["namespace"])
    labels = namespace["metadata"].get("labels") if isinstance(namespace, dict) else None
    return pod_group(pod, labels or {})


def _sentence(block: Block, destination: str, network: NetworkObservation) -> str:
    names = " and ".join(f"{block.namespace}/{name}" for name in block.policies)
    kind = "NetworkPolicy" if len(block.policies) == 1 else "NetworkPolicies"
    select, allow = ("selects", "allows") if len(block.policies) == 1 else ("select", "allow")
    side = "the gateway's pods" if block.direction == "egress" else "the agent's pods"
    text = (
        f"whether the gateway's pods reach {destination}: {kind} {names} {select} {side} and {allow} no such "
        f"{block.direction}"
    )
    unread = [item.reason for item in network.namespaces.values() if isinstance(item, Unreadable)]
    if unread:
        text += f"; rules that select namespaces by label were not evaluated ({'; '.join(unread)})"
    return text
