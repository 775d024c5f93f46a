"""Deletion protection for the whole stack: a resource that `pulumi destroy` deletes before all others.

Pulumi's `protect` on a Release alone comes too late. A destroy deletes in reverse order, so plugin and TME would be
gone when Pulumi refuses to delete the Release (with a preview, the preview already refuses it). A resource that depends
on all others is deleted first. If that is refused, the others are not changed (pulumi 3.259,
pkg/resource/deploy/deployment_executor.go, performPostSteps).
"""

import pulumi

NAME = "set-kong.protect-and-agent.protect-to-false"
"""The end of its name. Pulumi's error shows that and no text of this program, so it says how to lift the protection."""


class DeletionProtection(pulumi.ComponentResource):
    """Refuses every destroy while `on`. It must depend on all other components.

    It also exists while it is off: Pulumi refuses to delete a resource that is protected in the state, so an update has
    to switch it off first.
    """

    def __init__(self, name: str, *, on: bool, opts: pulumi.ResourceOptions) -> None:
        super().__init__(
            "traceable-kong:index:DeletionProtection",
            name,
            None,
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=on)),
        )
        self.register_outputs({"on": on})
