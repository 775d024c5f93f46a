"""What comes before the first object in the cluster: everything that can be refused."""

from collections.abc import Callable
from dataclasses import dataclass

import pulumi

from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.common.commands import on_cluster
from traceable_kong.common.safe_text import PlainError
from traceable_kong.config.stack_config import AgentOnlyStack, GatewayStack, StackConfig
from traceable_kong.hooks.preflight_run import run_preflight
from traceable_kong.plan import model
from traceable_kong.plan.agent_plan import AgentPlan, agent_plan
from traceable_kong.plan.build import build_plan
from traceable_kong.plan.inputs import read_inputs
from traceable_kong.plan.stack_plan import Plan, plan
from traceable_kong.plugin.rock_download import load_rock
from traceable_kong.preflight import release_imports


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A stack's config with all that its plan is made from.

    `plan` makes the plan for a stack id; it raises pulumi.RunError where values contradict each other. `model` is the
    plan in its own records, which take the place of it.
    """

    config: StackConfig
    plan: Callable[[str], Plan | AgentPlan]
    model: Callable[[str], model.Plan]


def prepare(config: StackConfig, target: ClusterTarget) -> Prepared:
    """Loads the rock, and reads what the plan for an existing Kong or agent needs. Raises pulumi.RunError."""
    preview = pulumi.runtime.is_dry_run()
    rock = load_rock(config.plugin) if isinstance(config, GatewayStack) else None
    inputs = read_inputs(config, target, rock, preview=preview)

    def model_for(owner: str) -> model.Plan:
        return build_plan(config, inputs, owner)

    if isinstance(config, AgentOnlyStack):
        return Prepared(config=config, plan=lambda owner: agent_plan(config, owner), model=model_for)

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

    return Prepared(config=config, plan=plan_for, model=model_for)


def check(prepared: Prepared, target: ClusterTarget, owner: str) -> frozenset[model.ReleaseKey]:
    """Runs preflight for the stack with the id `owner`, and in an `up` repairs interrupted Helm operations.

    Returns which Helm releases are to be imported. Raises pulumi.RunError, and then nothing else was changed.
    """
    planned, preview = prepared.model(owner), pulumi.runtime.is_dry_run()
    reader = run_preflight(target, planned, live_change=not preview)
    try:
        # After the repair: a release that it completed may be one to be imported.
        return release_imports.releases_to_import(planned, reader, preview=preview)
    except PlainError as problem:
        raise pulumi.RunError(on_cluster(str(problem), target.command_options)) from None
