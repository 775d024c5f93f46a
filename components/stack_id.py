"""The id by which a stack's objects are known: random, and kept in the state (docs/decisions/stack-id.md)."""

import pulumi

from traceable_kong.cluster.ownership import new_stack_id


def fresh_id() -> str:
    """A new id for the running stack."""
    return new_stack_id(pulumi.get_project(), pulumi.get_stack())


async def kept_id(name: str, fresh: str) -> tuple[pulumi.Resource, str]:
    """The id of the running stack, and what keeps it: `fresh` in its first update, and the same ever after.

    Raises pulumi.RunError. Everything that carries the id depends on the resource: otherwise a `destroy` would
    forget the id first, and an interrupted or refused one would leave objects that no stack owns. The engine's own
    `Stash` keeps it, so it needs no plugin; a preview before the first update keeps nothing
    (https://www.pulumi.com/docs/iac/concepts/resources/stash/).
    """
    stash = pulumi.Stash(name, input=fresh, opts=pulumi.ResourceOptions(ignore_changes=["input"]))
    kept = await stash.output.future()
    if not kept:
        raise pulumi.RunError(
            f"The resource {name} is not among the targets of this first update, so the stack would have no id to mark "
            "its objects with. Nothing was changed. Run pulumi up without --target once."
        )
    return stash, str(kept)
