"""The connections that a gateway's pods need to the Traceable agent.

In async, Kong reports to the agent on 5442. In sync, Kong asks the TME in its own pod; the TME gets its configuration
from the agent and reports to it, on the Service's port 5441 (gRPC), 5442 (REST) or 5443 (TLS), depending on the agent's
settings (traceable-agent 1.58.0).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from traceable_kong.cluster.network_policies import Flow, Outside, PodGroup
from traceable_kong.cluster.tme import TME_PORT

TME_TO_AGENT = (5441, TME_PORT, 5443)

_DEFAULT_PORTS = {"http": 80, "https": 443}


def flow_to_agent(source: PodGroup, agent: PodGroup, service: Mapping[str, Any] | None, *, sync: bool) -> Flow:
    """The flow from a gateway pod to a pod of the agent's Service, with the pod's ports: policies apply to those."""
    wanted = TME_TO_AGENT if sync else (TME_PORT,)
    targets = {item["port"]: item.get("targetPort") or item["port"] for item in _ports(service)}
    found = [_number(targets.get(port, port), agent) for port in wanted if not targets or port in targets]
    ports = tuple(dict.fromkeys(port for port in found if port is not None))
    return Flow(source=source, destination=agent, ports=ports or wanted)


def port_behind(service: Mapping[str, Any] | None, port: int, pod: PodGroup) -> int | None:
    """The target port in a pod for a port of the Service; None where the Service or the pod has no such port."""
    targets = [item.get("targetPort") or item["port"] for item in _ports(service) if item["port"] == port]
    return _number(targets[0], pod) if targets else None


def flow_outside(source: PodGroup, url: str) -> Flow:
    """The flow from a gateway pod to an agent outside the cluster."""
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, TME_PORT)
    return Flow(source=source, destination=Outside(host=parts.hostname or ""), ports=(port,))


def described(flow: Flow) -> str:
    """The destination of a flow, for messages."""
    ports = " or ".join(map(str, flow.ports))
    if isinstance(flow.destination, Outside):
        return f"the agent at {flow.destination.host} (TCP {ports})"
    return f"the agent in namespace {flow.destination.namespace} (TCP {ports})"


def _ports(service: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    found = ((service or {}).get("spec") or {}).get("ports") or []
    return [item for item in found if item.get("protocol", "TCP") == "TCP"]


def _number(target: int | str, agent: PodGroup) -> int | None:
    return agent.named_ports.get(target) if isinstance(target, str) else target
