"""The stack's identity: random, and kept in the state (docs/decisions/stack-id.md)."""

import pulumi

from traceable_kong.cluster.ownership import StackIdentity


async def kept_identity(
    name: str, fresh: StackIdentity, *, opts: pulumi.ResourceOptions
) -> tuple[pulumi.Resource, StackIdentity]:
    """The resource that keeps the stack's identity, and that: `fresh` in the first update, the same one later.

    Everything that carries the id must depend on the resource. Otherwise a destroy forgets the id first, and if it is
    interrupted, it leaves objects that no stack owns. A `Stash` needs no provider plugin; a preview before the first
    update keeps nothing (https://www.pulumi.com/docs/iac/concepts/resources/stash/). Raises pulumi.RunError.
    """
    identity = {"id": fresh.owner, "digestKey": pulumi.Output.secret(fresh.digest_key)}
    kept_input = pulumi.ResourceOptions(ignore_changes=["input"])
    stash = pulumi.Stash(name, input=identity, opts=pulumi.ResourceOptions.merge(opts, kept_input))
    kept = await stash.output.future()
    if not kept:
        raise pulumi.RunError(
            f"Resource {name} is not a target of this first update. The stack would have no id to mark its objects "
            "with. Nothing was changed. Run `pulumi up` once without --target."
        )
    return stash, StackIdentity(owner=kept["id"], digest_key=kept["digestKey"])
