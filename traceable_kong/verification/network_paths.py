"""Whether NetworkPolicies may keep the gateway's pods from the agent. No run can see such a connection from outside."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from traceable_kong.cluster.agent_connections import described, flow_outside, flow_to_agent
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient
from traceable_kong.cluster.network_policies import Block, Flow, PodGroup, blocks, pod_group
from traceable_kong.cluster.pods import is_ready
from traceable_kong.verification.desired_state import DesiredState
from traceable_kong.verification.object_reads import Seen, Unreadable, read

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class NetworkLook:
    """The NetworkPolicies of the gateway's and the agent's namespace, and these namespaces where there is a policy.

    `unlisted` are the namespaces whose policies may not be listed.
    """

    policies: Sequence[Document] = ()
    namespaces: Mapping[str, Seen] = field(default_factory=dict)
    unlisted: tuple[str, ...] = ()


def look_at_network(api: KubernetesClient, expected: DesiredState) -> NetworkLook:
    """One look. Raises kube.ApiError or kube.Unreachable."""
    if not (expected.installed and expected.enabled):
        return NetworkLook()
    policies: list[Document] = []
    unlisted: list[str] = []
    wanted = sorted({expected.namespace, expected.agent_namespace} - {""})
    for namespace in wanted:
        try:
            policies += api.list(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies")
        except ApiError as problem:
            if problem.status != 403:
                raise
            unlisted.append(namespace)
    namespaces = {name: read(api, "Namespace", f"/api/v1/namespaces/{name}") for name in wanted} if policies else {}
    return NetworkLook(policies=policies, namespaces=namespaces, unlisted=tuple(unlisted))


def unknown_paths(
    expected: DesiredState,
    network: NetworkLook,
    *,
    serving: Sequence[Document],
    agents: Sequence[Document],
    service: Document | None,
) -> Iterator[str]:
    """What is not known of the way to the agent, and why: each in a sentence after "not checked:"."""
    for namespace in network.unlisted:
        yield (
            "whether NetworkPolicies let the gateway's pods reach the agent: the permission to list "
            f"networkpolicies.networking.k8s.io in namespace {namespace} is missing"
        )
    found = {
        (block, described(flow)): None
        for flow in _flows(expected, network, serving, agents, service)
        for block in blocks(network.policies, flow)
    }
    for block, where in found:
        yield _sentence(block, where, network)


def _flows(
    expected: DesiredState,
    network: NetworkLook,
    serving: Sequence[Document],
    agents: Sequence[Document],
    service: Document | None,
) -> Iterator[Flow]:
    for pod in serving:
        source = _group(pod, network)
        if not expected.agent_namespace:
            yield flow_outside(source, str(expected.config.get("ext_cap_endpoint")))
        for agent in filter(is_ready, agents):
            yield flow_to_agent(source, _group(agent, network), service, sync=expected.tme_image is not None)


def _group(pod: Document, network: NetworkLook) -> PodGroup:
    namespace = network.namespaces.get(pod["metadata"]["namespace"])
    labels = namespace["metadata"].get("labels") if isinstance(namespace, dict) else None
    return pod_group(pod, labels or {})


def _sentence(block: Block, where: str, network: NetworkLook) -> str:
    names = " and ".join(f"{block.namespace}/{name}" for name in block.policies)
    kind = "NetworkPolicy" if len(block.policies) == 1 else "NetworkPolicies"
    select = "selects" if len(block.policies) == 1 else "select"
    side = "the gateway's pods" if block.direction == "egress" else "the agent's pods"
    text = f"whether the gateway's pods reach {where}: {kind} {names} {select} {side} and allow"
    text += f"{'s' if len(block.policies) == 1 else ''} no such {block.direction}"
    unread = [item.reason for item in network.namespaces.values() if isinstance(item, Unreadable)]
    if unread:
        text += f"; rules that go by the labels of a namespace do not count ({'; '.join(unread)})"
    return text
