"""What comes before the first resource: everything that can be refused, so that nothing is registered unless it holds.

Leaves out the resources (stack_gateway.py, stack_agent.py) and what they are given (`plan.py`).
"""

import pulumi

import adoption
import cluster
import ownership
import settings
from gates.opening import open_or_refuse
from plan import Plan, plan
from plan_agent import AgentPlan, agent_plan
from plan_gateway import existing_deployment
from plan_preflight import alone, intent
from rock_download import load_rock
from shared_agent import sidecar_settings


def begin() -> tuple[cluster.Cluster, Plan | AgentPlan]:
    """The cluster, and the plan for it. Raises pulumi.RunError; nothing was touched then."""
    config = settings.load()
    target = cluster.configured()
    target.refuse_unless_allowed(config.allowed_clusters)
    planned = _gateway(config, target) if config.gateway else _agent_alone(config, target)
    return target, planned


def _gateway(config: settings.Settings, target: cluster.Cluster) -> Plan:
    rock = load_rock(config.plugin)
    theirs = existing_deployment(config)
    selector = target.selector_of(config.kong.namespace, theirs) if theirs else None
    given = sidecar_settings(config, target)
    adopting = adoption.to_adopt(config, target)
    planned = plan(
        config,
        rock,
        _owner(),
        given,
        cluster_options=target.command_options,
        selector=selector,
        adopting=adopting,
    )
    open_or_refuse(target, intent(config, rock, planned, live_change=not pulumi.runtime.is_dry_run()))
    return planned


def _agent_alone(config: settings.Settings, target: cluster.Cluster) -> AgentPlan:
    """Without a gateway there is no rock to be loaded either."""
    planned = agent_plan(config, _owner(), adopt="agent" in adoption.to_adopt(config, target))
    open_or_refuse(target, alone(config, _owner(), planned, live_change=not pulumi.runtime.is_dry_run()))
    return planned


def _owner() -> str:
    return ownership.stack_id(pulumi.get_project(), pulumi.get_stack())
