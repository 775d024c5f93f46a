"""A stack that is the agent alone, in the order in which it happens. Wiring only."""

import pulumi

from components.deletion_protection import DeletionProtection
from components.installation import Installation
from components.traceable_agent import TraceableAgent
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.hooks.agent_hooks import AgentGates
from traceable_kong.plan.agent_plan import AgentPlan


def make_agent(
    planned: AgentPlan, target: ClusterTarget, provider: pulumi.ProviderResource, imports: frozenset[str]
) -> None:
    """Registers everything; `imports` are the Helm releases that are imported (`agent`)."""
    gates = AgentGates(args=planned.gates, cluster=target)

    def after(*steps: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(provider=provider, depends_on=list(steps), transformations=[gates.check_names])

    agent = TraceableAgent(
        "agent", args=planned.agent, import_release="agent" in imports, hooks=gates.agent, opts=after()
    )
    record = Installation(
        "installation", args=planned.installation, prove=gates.prove, steps=agent.resources, opts=after(agent)
    )
    DeletionProtection(on=bool(planned.protected), opts=after(agent, record))
