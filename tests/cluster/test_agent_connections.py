"""The connections that a gateway's pods need to the agent."""

from typing import Any

import pytest

from traceable_kong.cluster.agent_connections import described, flow_outside, flow_to_agent
from traceable_kong.cluster.network_policies import Outside, PodGroup

GATEWAY = PodGroup(namespace="kong", labels={})
AGENT = PodGroup(namespace="traceable", labels={}, named_ports={"rest": 8442})


def service(*ports: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"ports": list(ports)}}


@pytest.mark.parametrize(
    ("of", "sync", "ports"),
    [
        (None, False, (5442,)),
        (None, True, (5441, 5442, 5443)),
        (service({"port": 5442, "targetPort": 5442}), False, (5442,)),
        (service({"port": 5442}), False, (5442,)),
        (service({"port": 5442, "targetPort": 8080}), False, (8080,)),
        (service({"port": 5442, "targetPort": "rest"}), False, (8442,)),
        (service({"port": 5442, "targetPort": "unknown"}), False, (5442,)),
        (service({"port": 5442}, {"port": 5441}, {"port": 9411}), True, (5441, 5442)),
        (service({"port": 5443}), True, (5443,)),
        (service({"port": 9411}), False, (5442,)),
        (service({"port": 5442, "protocol": "UDP"}), False, (5442,)),
    ],
)
def test_the_ports_are_those_of_the_services_pods(
    of: dict[str, Any] | None, sync: bool, ports: tuple[int, ...]
) -> None:
    assert flow_to_agent(GATEWAY, AGENT, of, sync=sync).ports == ports


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://agent.example.com:5442", "agent.example.com", 5442),
        ("https://agent.example.com/path", "agent.example.com", 443),
        ("http://192.0.2.7", "192.0.2.7", 80),
        ("https://[2001:db8::7]:8443", "2001:db8::7", 8443),
    ],
)
def test_the_host_and_port_of_an_external_agent(url: str, host: str, port: int) -> None:
    flow = flow_outside(GATEWAY, url)
    assert (flow.destination, flow.ports) == (Outside(host=host), (port,))
    assert described(flow) == f"the agent at {host} (TCP {port})"


def test_a_flow_is_described_in_words() -> None:
    said = described(flow_to_agent(GATEWAY, AGENT, None, sync=True))
    assert said == "the agent in namespace traceable (TCP 5441 or 5442 or 5443)"
