"""The agent's part of the plan."""

from collections.abc import Iterator, Mapping

from traceable_kong.cluster import ownership
from traceable_kong.cluster.agent_objects import AGENT_RELEASE
from traceable_kong.cluster.ownership import StackIdentity
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.nested_data import keyed_digest, merged, revealed, secret_leaves
from traceable_kong.config.agent_config import ExternalAgentConfig, ManagedAgentConfig
from traceable_kong.config.config_problem import Problem
from traceable_kong.config.stack_config import AgentOnlyStack, StackConfig
from traceable_kong.helm_values.agent_values import OWN_TOKEN_SECRET, agent_value_problems, agent_values
from traceable_kong.helm_values.chart import Chart
from traceable_kong.plan.agent_model import Agent, ExistingAgent, ExternalAgent, ManagedAgent
from traceable_kong.plan.release_model import HelmRelease

REPLICAS_WITH_DENY = 2
"""Pods of the agent where a gateway pod is refused while no injector answers: one can be away."""


def agent_problems(config: StackConfig) -> Iterator[Problem]:
    """What in the agent's chart values conflicts with what this stack needs."""
    if isinstance(config.agent, ManagedAgentConfig):
        yield from agent_value_problems(revealed(config.agent.values))


def build_agent(config: StackConfig, identity: StackIdentity, chart_files: Mapping[str, str]) -> Agent:
    """The agent that the config names, whose values have no problem by `agent_problems`.

    `chart_files` is as in PlanInputs.
    """
    agent = config.agent
    if isinstance(agent, ManagedAgentConfig):
        # Whatever the mode: a switch changes the gateway and not its agent. Of other stacks' gateways, any may deny.
        denies = isinstance(config, AgentOnlyStack) or config.guard_action == "deny"
        return _managed(agent, identity, chart_files, denies=denies)
    if isinstance(agent, ExternalAgentConfig):
        return ExternalAgent(endpoint=agent.url)
    return ExistingAgent(namespace=agent.namespace, tme_image_configured=agent.tme_image is not None)


def _managed(
    config: ManagedAgentConfig, identity: StackIdentity, chart_files: Mapping[str, str], *, denies: bool
) -> ManagedAgent:
    existing, chart = config.token_secret, Chart(**config.chart.model_dump())
    secret = SecretKey(name=existing.name, key=existing.key) if existing else OWN_TOKEN_SECRET
    values = agent_values(
        revealed(config.values),
        environment=config.environment,
        endpoint=config.endpoint,
        blocking_status_code=config.blocking_status_code,
        blocking_message=config.blocking_message,
        token_secret=secret,
        replicas=REPLICAS_WITH_DENY if denies else None,
    )
    values = merged(values, ownership.release_owner_values(identity.owner))
    return ManagedAgent(
        release=HelmRelease(
            key="agent",
            namespace=config.namespace,
            name=AGENT_RELEASE,
            chart=chart,
            chart_digest=chart.digest(chart_files.get(chart.path or "", "")),
            values=values,
            values_digest=keyed_digest(values, identity.digest_key),
            secret_values=secret_leaves(config.values),
            timeout_seconds=config.timeout_seconds,
            operation_seconds=config.timeout_seconds,
            adopt=config.adopt,
            protect=config.protected,
        ),
        create_namespace=config.create_namespace,
        token=config.token,
        token_secret=secret,
    )
