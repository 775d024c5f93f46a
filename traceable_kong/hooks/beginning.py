"""What comes before the first object in the cluster: everything that can be refused."""

from collections.abc import Callable
from dataclasses import dataclass

import pulumi

from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.config.stack_config import AgentOnlyStack, GatewayStack, StackConfig
from traceable_kong.hooks.preflight_run import run_preflight
from traceable_kong.hooks.release_imports import releases_to_import
from traceable_kong.plan import model
from traceable_kong.plan.agent_plan import AgentPlan, agent_plan
from traceable_kong.plan.build import build_plan
from traceable_kong.plan.inputs import read_inputs
from traceable_kong.plan.preflight_intent import alone, intent
from traceable_kong.plan.stack_plan import Plan, plan
from traceable_kong.plugin.rock_download import load_rock
from traceable_kong.preflight.intent import AloneIntent, Intent


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A stack's config with all that its plan is made from.

    `plan` makes the plan for a stack id; it raises pulumi.RunError where values contradict each other. `intent` is what
    preflight is asked about a plan. `model` is the plan in its own records, which take the place of both.
    """

    config: StackConfig
    plan: Callable[[str], Plan | AgentPlan]
    intent: Callable[[Plan | AgentPlan, str], Intent | AloneIntent]
    model: Callable[[str], model.Plan]


def prepare(config: StackConfig, target: ClusterTarget) -> Prepared:
    """Loads the rock, and reads what the plan for an existing Kong or agent needs. Raises pulumi.RunError."""
    preview = pulumi.runtime.is_dry_run()
    rock = load_rock(config.plugin) if isinstance(config, GatewayStack) else None
    inputs = read_inputs(config, target, rock, preview=preview)

    def model_for(owner: str) -> model.Plan:
        return build_plan(config, inputs, owner)

    if isinstance(config, AgentOnlyStack):

        def intent_of_the_agent(planned: Plan | AgentPlan, owner: str) -> AloneIntent:
            assert isinstance(planned, AgentPlan)
            return alone(config, owner, planned, live_change=not preview)

        return Prepared(
            config=config, plan=lambda owner: agent_plan(config, owner), intent=intent_of_the_agent, model=model_for
        )

    assert rock is not None

    def plan_for(owner: str) -> Plan:
        return plan(
            config,
            rock,
            owner,
            inputs.agent_settings,
            recorded_image=inputs.recorded_image,
            stack=pulumi.get_stack(),
            cluster_options=target.command_options,
            selector=inputs.pod_selector,
        )

    def intent_of(planned: Plan | AgentPlan, _: str) -> Intent:
        assert isinstance(planned, Plan)
        return intent(config, rock, planned, live_change=not preview)

    return Prepared(config=config, plan=plan_for, intent=intent_of, model=model_for)


def check(prepared: Prepared, planned: Plan | AgentPlan, target: ClusterTarget, owner: str) -> frozenset[str]:
    """Runs preflight for the stack with the id `owner`, and in an `up` repairs interrupted Helm operations.

    Returns which Helm releases are to be imported (`kong`, `agent`). Raises pulumi.RunError, and then nothing else was
    changed.
    """
    # After the repair: a release that it completed may be one to be imported.
    seen = run_preflight(target, prepared.intent(planned, owner))
    return releases_to_import(prepared.config, target, seen, owner, preview=pulumi.runtime.is_dry_run())
