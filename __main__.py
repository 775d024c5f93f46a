"""The program: what a stack's settings come to is made, and shown. The order is in the file of each kind of stack."""

import pulumi

from beginning import begin
from plan_agent import AgentPlan
from stack_agent import make_agent
from stack_gateway import make_gateway

# First everything that can be refused: nothing is registered before all of it holds.
target, planned = begin()

provider = target.provider("kubernetes")
if isinstance(planned, AgentPlan):
    make_agent(planned, target, provider)
else:
    make_gateway(planned, target, provider)

for key, value in planned.outputs.items():
    pulumi.export(key, value)
