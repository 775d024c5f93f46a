"""The program: the stack's config becomes a plan, the cluster is checked against it, and the plan is deployed.

The order of a deployment is in the file of each kind of stack.
"""

from collections.abc import Mapping

import pulumi

from components.kubernetes_provider import kubernetes_provider
from components.stack_agent import make_agent
from components.stack_gateway import make_gateway
from components.stack_id import fresh_id, kept_id
from traceable_kong.common.safe_text import PlainError
from traceable_kong.config import loader
from traceable_kong.hooks import beginning
from traceable_kong.plan.agent_plan import AgentPlan


async def main() -> Mapping[str, object]:
    """Deploys the stack and returns its outputs. An error of the program is shown as its text, without a traceback."""
    try:
        return await deploy()
    except PlainError as problem:
        raise pulumi.RunError(str(problem)) from None


async def deploy() -> Mapping[str, object]:
    """Deploys the stack and returns its outputs."""
    config = loader.load()
    target = loader.cluster_target(config)
    target.require_allowed(config.allowed_clusters)
    prepared = beginning.prepare(config, target)
    # The plan shows whether all values fit together: nothing is registered before that.
    fresh = fresh_id()
    prepared.plan(fresh)

    # The id is in the state only: nothing changes in the cluster before preflight has passed.
    stack_id, owner = await kept_id("stack-id", fresh)
    planned = prepared.plan(owner)
    imports = beginning.check(prepared, target, owner)

    provider = kubernetes_provider(target, after=stack_id)
    if isinstance(planned, AgentPlan):
        make_agent(planned, target, provider, imports)
        return planned.outputs
    return planned.outputs | make_gateway(planned, target, provider, imports)


pulumi.run(main)
