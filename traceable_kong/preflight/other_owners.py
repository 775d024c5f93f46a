"""Whose an object is that this stack or component does not own, and what to do about it."""

from traceable_kong.cluster.ownership import handover_label
from traceable_kong.plan.model import Plan


def belongs_to(plan: Plan, owner: str) -> str:
    """How a problem begins: an object belongs to the stack or component with the id `owner`."""
    if (component := _component(plan, owner)) and plan.siblings:
        return f"belongs to component {component} of this stack, and not to {plan.siblings.component}"
    return f"belongs to another stack, {owner} (this one is {plan.owner})"


def removal(plan: Plan, owner: str) -> str:
    """What would delete it, once the stack or component of `plan` has it as well."""
    if _component(plan, owner) and plan.siblings:
        return f"the removal of {plan.siblings.component} from the program"
    return "`pulumi destroy` of this stack"


def ways_out(plan: Plan, owner: str, *, instead: str) -> str:
    """How to fix that an object belongs to the stack or component with the id `owner`."""
    if (component := _component(plan, owner)) and plan.siblings:
        own = plan.siblings.component
        return (
            f"{instead}. If {component} was renamed to {own}, name {component} in the resource option aliases of "
            f"{own}. If {component} is not to have it any more, run `pulumi up` without {own} first"
        )
    if handover_label(owner) != handover_label(plan.owner):
        return f"{instead}. If that stack is not needed any more, destroy it first: `pulumi destroy --stack NAME`"
    return (
        f"{instead}. The other stack has the same name in another backend or organization, or this stack lost its "
        "state. If the state was lost, restore it first: `pulumi stack import --file BACKUP.json`"
    )


def creator(plan: Plan, owner: str) -> str:
    """The stack or component with the id `owner`."""
    component = _component(plan, owner)
    return f"component {component} of this stack" if component else f"the stack {owner}"


def _component(plan: Plan, owner: str) -> str | None:
    return plan.siblings.component_of(owner) if plan.siblings else None
