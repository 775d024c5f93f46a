"""The other components of the Pulumi program, as the plan of one of them knows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from traceable_kong.cluster.ownership import handover_label
from traceable_kong.plan.agent_model import ManagedAgent


@dataclass(frozen=True, kw_only=True)
class SharedAgent:
    """The agent that a gateway uses, as the component `installer` installs it earlier in the same update."""

    installer: str
    agent: ManagedAgent


@dataclass(frozen=True, kw_only=True)
class Siblings:
    """What the component `component` knows of the others in its stack.

    `ids` is `{stack id: component}` of those that have started, and `prefix` is what the ids of all components of this
    stack begin with. `shared_agent` is None where no other component has said that it installs the agent.
    `undetermined` are those of which this preview does not know what they install.
    """

    component: str
    prefix: str
    ids: Mapping[str, str] = field(default_factory=dict)
    shared_agent: SharedAgent | None = None
    undetermined: tuple[str, ...] = ()

    def component_of(self, stack_id: str) -> str | None:
        """The other component of this stack that has, or had, this id; None for the id of another stack."""
        if stack_id in self.ids:
            return self.ids[stack_id]
        # One that was renamed or removed, or that has not started. An id that a component of that name does not have
        # is of another backend, or of a state that was lost.
        name = handover_label(stack_id)
        if not name.startswith(self.prefix):
            return None
        name = name.removeprefix(self.prefix)
        return None if name in (self.component, *self.ids.values()) else name
