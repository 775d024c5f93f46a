"""Whether NetworkPolicies let the gateway's pods connect to the agent.

This only warns: it knows the policies of the API group networking.k8s.io, and not whether the network enforces them.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.agent_connections import described, flow_outside, flow_to_agent
from traceable_kong.cluster.agent_objects import AGENT_CHART, AGENT_RELEASE, AGENT_SERVICE
from traceable_kong.cluster.api_objects import NAMESPACES, labels_of, network_policies, pods, services
from traceable_kong.cluster.kubernetes_client import ApiError, Document
from traceable_kong.cluster.network_policies import Flow, PodGroup, blocks, permission, pod_group
from traceable_kong.cluster.pods import is_terminating, selector_text
from traceable_kong.cluster.tme import INJECT_LABEL
from traceable_kong.plan.agent_model import ExistingAgent, ManagedAgent
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding


def paths_to_the_agent_are_open(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """No NetworkPolicy blocks connections from the gateway's pods to the agent."""
    if not (gateway.installed and gateway.plugin.enabled):
        return
    source = _gateway_pods(reader, gateway)
    if not isinstance(plan.agent, ManagedAgent | ExistingAgent):
        found = reader.list(network_policies(source.namespace))
        flow = flow_outside(source, gateway.plugin.endpoint)
        yield from _findings(found, flow, {"egress": _gateway_selector(reader, gateway)})
        return
    namespace = plan.agent.namespace
    found = [item for name in sorted({source.namespace, namespace}) for item in reader.list(network_policies(name))]
    if not found:
        return
    service = reader.get(f"{services(namespace)}/{AGENT_SERVICE}")
    selector = ((service or {}).get("spec") or {}).get("selector") or _chart_labels()
    selectors = {"egress": _gateway_selector(reader, gateway), "ingress": {"matchLabels": selector}}
    agent = _agent(reader, namespace, selector)
    yield from _findings(found, flow_to_agent(source, agent, service, sync=gateway.wants_tme), selectors)


def _findings(policies: list[Document], flow: Flow, selectors: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    for block in blocks(policies, flow):
        policy = json.dumps(permission(flow, block, selectors[block.direction]))
        side = "the gateway's pods" if block.direction == "egress" else "the agent's pods"
        one = len(block.policies) == 1
        yield Finding(
            subject=f"networkpolicy {', '.join(block.policies)} in namespace {block.namespace}",
            problem=f"{'selects' if one else 'select'} {side} and {'allows' if one else 'allow'} no {block.direction} "
            f"{'to' if block.direction == 'egress' else 'from the gateway to'} {described(flow)}. If the network "
            "enforces that, nothing reaches the agent, and the verification reports not checked",
            fix=f"Allow it: `echo {shlex.quote(policy)} | kubectl apply --filename -`",
            severity="warning",
        )


def _gateway_pods(reader: CachedReader, gateway: Gateway) -> PodGroup:
    """The gateway's pods, as the Deployment creates them; before there is one, as the chart will label them."""
    # In sync, the stack labels the namespace.
    labels = _namespace_labels(reader, gateway.kong.deployment.namespace) | (INJECT_LABEL if gateway.wants_tme else {})
    live = reader.get(gateway.kong.deployment.path)
    if live is None:
        chosen = gateway.kong.pod_selector.get("matchLabels") or {}
        return PodGroup(namespace=gateway.kong.deployment.namespace, labels=chosen, namespace_labels=labels)
    template = live["spec"]["template"]
    metadata = {"namespace": gateway.kong.deployment.namespace, "labels": labels_of(template)}
    return pod_group({"metadata": metadata, "spec": template.get("spec")}, labels)


def _gateway_selector(reader: CachedReader, gateway: Gateway) -> Mapping[str, Any]:
    live = reader.get(gateway.kong.deployment.path)
    found: Mapping[str, Any] = (
        live["spec"].get("selector") or gateway.kong.pod_selector if live else gateway.kong.pod_selector
    )
    return found


def _agent(reader: CachedReader, namespace: str, selector: Mapping[str, str]) -> PodGroup:
    """A pod of the agent; before there is one, as the chart will label it."""
    labels = _namespace_labels(reader, namespace)
    for pod in reader.list(pods(namespace), labelSelector=selector_text({"matchLabels": selector})):
        if not is_terminating(pod):
            return pod_group({**pod, "metadata": {**pod["metadata"], "namespace": namespace}}, labels)
    chart = {"app.kubernetes.io/component": AGENT_CHART}
    return PodGroup(namespace=namespace, labels={**selector, **chart}, namespace_labels=labels)


def _chart_labels() -> dict[str, str]:
    return {"app.kubernetes.io/name": AGENT_CHART, "app.kubernetes.io/instance": AGENT_RELEASE}


def _namespace_labels(reader: CachedReader, namespace: str) -> dict[str, str]:
    """Empty without permission to read them: then a rule that selects namespaces by label does not match."""
    try:
        return labels_of(reader.get(f"{NAMESPACES}/{namespace}") or {})
    except ApiError:
        return {}
