"""A stack that is the agent alone, in the order in which it happens. Wiring only.

Leaves out the gateways that share it: each is a stack of its own (stack_gateway.py).
"""

import pulumi

import cluster
from components.agent import TraceableAgent
from components.installation import Installation
from components.protection import DeletionProtection
from gates.alone import AgentGates
from plan_agent import AgentPlan


def make_agent(
    planned: AgentPlan, target: cluster.Cluster, provider: pulumi.ProviderResource, imports: frozenset[str]
) -> None:
    """Registers everything; `imports` are the Helm releases that are imported (`agent`)."""
    gates = AgentGates(args=planned.gates, cluster=target)

    def after(*steps: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(provider=provider, depends_on=list(steps), transformations=[gates.check_names])

    agent = TraceableAgent(
        "agent", args=planned.agent, import_release="agent" in imports, before=gates.agent, opts=after()
    )
    record = Installation(
        "installation", args=planned.installation, prove=gates.prove, steps=agent.made, opts=after(agent)
    )
    DeletionProtection(on=bool(planned.protected), opts=after(agent, record))
