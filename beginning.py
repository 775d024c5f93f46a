"""What comes before the first object in the cluster: everything that can be refused."""

from collections.abc import Callable
from dataclasses import dataclass

import pulumi

import cluster
import settings
from adoption import releases_to_import
from gates.opening import open_or_refuse
from plan import Plan, plan
from plan_agent import AgentPlan, agent_plan
from plan_gateway import existing_deployment
from plan_preflight import alone, intent
from preflight import AloneIntent, Intent
from rock_download import load_rock
from shared_agent import recorded_tme_image, sidecar_settings


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A stack's config with all that its plan is made from.

    `plan` makes the plan for a stack id; it raises pulumi.RunError where values contradict each other. `intent` is what
    preflight is asked about a plan.
    """

    config: settings.Settings
    plan: Callable[[str], Plan | AgentPlan]
    intent: Callable[[Plan | AgentPlan, str], Intent | AloneIntent]


def prepare(config: settings.Settings, target: cluster.Cluster) -> Prepared:
    """Loads the rock, and reads what the plan for an existing Kong or agent needs. Raises pulumi.RunError."""
    preview = pulumi.runtime.is_dry_run()
    if not config.gateway:

        def intent_of_the_agent(planned: Plan | AgentPlan, owner: str) -> AloneIntent:
            assert isinstance(planned, AgentPlan)
            return alone(config, owner, planned, live_change=not preview)

        return Prepared(config=config, plan=lambda owner: agent_plan(config, owner), intent=intent_of_the_agent)

    rock = load_rock(config.plugin)
    existing = existing_deployment(config)
    selector = target.selector_of(config.kong.namespace, existing) if existing else None
    given = sidecar_settings(config, target, preview=preview)
    recorded_image = recorded_tme_image(config, target, preview=preview)

    def plan_for(owner: str) -> Plan:
        return plan(
            config,
            rock,
            owner,
            given,
            recorded_image=recorded_image,
            stack=pulumi.get_stack(),
            cluster_options=target.command_options,
            selector=selector,
        )

    def intent_of(planned: Plan | AgentPlan, _: str) -> Intent:
        assert isinstance(planned, Plan)
        return intent(config, rock, planned, live_change=not preview)

    return Prepared(config=config, plan=plan_for, intent=intent_of)


def check(prepared: Prepared, planned: Plan | AgentPlan, target: cluster.Cluster, owner: str) -> frozenset[str]:
    """Runs preflight for the stack with the id `owner`, and in an `up` repairs interrupted Helm operations.

    Returns which Helm releases are to be imported (`kong`, `agent`). Raises pulumi.RunError, and then nothing else was
    changed.
    """
    # After the repair: a release that it completed may be one to be imported.
    seen = open_or_refuse(target, prepared.intent(planned, owner))
    return releases_to_import(prepared.config, target, seen, owner, preview=pulumi.runtime.is_dry_run())
