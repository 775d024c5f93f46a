"""The agent's part of the plan; and the whole plan of a stack that is the agent alone (`gateway: false`). Pure."""

from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster import ownership
from traceable_kong.cluster.agent_objects import AGENT_RECORD, AGENT_RELEASE, agent_endpoint
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.nested_data import digest, merged
from traceable_kong.config.agent_config import ManagedAgentConfig
from traceable_kong.config.stack_config import AgentOnlyStack, GatewayStack, StackConfig
from traceable_kong.helm_values.agent_values import OWN_TOKEN_SECRET, agent_values, tme_image_of
from traceable_kong.helm_values.chart import Chart
from traceable_kong.plan.build_agent import build_agent
from traceable_kong.plan.component_args import AgentArgs, AgentGatesArgs, InstallationArgs
from traceable_kong.plan.model import ManagedAgent
from traceable_kong.plan.protection import protected_parts, protection_output, protection_record

REPLICAS_WHERE_GUARDED = 2
"""Pods of the agent where a gateway pod is refused while no injector answers: one can be away."""


@dataclass(frozen=True, kw_only=True)
class AgentPlan:
    """A stack that is the agent alone: the arguments of its components, what must hold, and its outputs."""

    agent: AgentArgs
    installation: InstallationArgs
    gates: AgentGatesArgs
    protected: tuple[str, ...]
    outputs: dict[str, Any]


def agent_plan(settings: AgentOnlyStack, owner: str) -> AgentPlan:
    """The plan for the agent alone; `owner` is this stack's id. Raises AgentValuesError."""
    agent = agent_args(settings, settings.agent, owner)
    endpoint, tme_image = agent_endpoint(agent.namespace), tme_image_of(agent.values)
    managed = build_agent(settings, owner)
    assert isinstance(managed, ManagedAgent)
    stands = {"agentNamespace": agent.namespace, "endpoint": endpoint, "tmeImage": str(tme_image)}
    protected = protected_parts(settings)
    return AgentPlan(
        agent=agent,
        installation=InstallationArgs(
            namespace=agent.namespace,
            record_name=AGENT_RECORD,
            record={
                "gateway": "false",
                **stands,
                "agentValuesDigest": digest(agent.values),
                **protection_record(protected),
            },
            labels=agent.labels,
        ),
        gates=AgentGatesArgs(
            owner=owner,
            expectation=managed,
            timeout_seconds=agent.timeout_seconds,
        ),
        protected=protected,
        outputs={"stackId": owner, "gateway": False, **stands, **protection_output(protected)},
    )


def agent_args(stack: StackConfig, agent: ManagedAgentConfig, owner: str) -> AgentArgs:
    """What a managed agent is made of. Raises AgentValuesError."""
    secret = agent.token_secret
    # Whatever the mode: a switch changes the gateway and not its agent. Of gateways of other stacks any may deny.
    denies = not isinstance(stack, GatewayStack) or stack.tme_guard == "deny"
    values = agent_values(
        agent.values,
        environment=agent.environment,
        endpoint=agent.endpoint,
        blocking_status_code=agent.blocking_status_code,
        blocking_message=agent.blocking_message,
        token_secret=SecretKey(name=secret.name, key=secret.key) if secret else OWN_TOKEN_SECRET,
        replicas=REPLICAS_WHERE_GUARDED if denies else None,
    )
    # In Kong's own namespace, which is created or found with Kong.
    shared = isinstance(stack, GatewayStack) and agent.namespace == stack.kong.namespace and not agent.create_namespace
    return AgentArgs(
        namespace=agent.namespace,
        create_namespace=None if shared else agent.create_namespace,
        release=AGENT_RELEASE,
        chart=Chart(**agent.chart.model_dump()),
        # With the mark by which the next run knows it as this stack's.
        values=merged(values, ownership.release_owner_values(owner)),
        token=agent.token,
        timeout_seconds=agent.timeout_seconds,
        labels=ownership.labels(owner),
        protect=agent.protected,
    )
