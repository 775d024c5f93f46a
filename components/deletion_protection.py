"""Deletion protection for the stack as a whole: a resource that a `destroy` reaches before everything else.

Pulumi's `protect` on a Release alone comes too late. A `destroy` deletes in reverse order, so the plugin and the TME
would be gone by the time that the protected Release is refused (`pulumi destroy --skip-preview`; with a preview, the
preview is refused). What depends on everything is deleted first, and where that is refused, nothing that it depends on
is touched (pulumi 3.259, pkg/resource/deploy/deployment_executor.go, performPostSteps).
"""

import pulumi

NAME = "set-kong.protect-and-agent.protect-to-false"
"""The engine's refusal shows this name and no text of this program, so the name says what lifts it."""


class DeletionProtection(pulumi.ComponentResource):
    """`on` True refuses every `destroy`. `opts` names in `depends_on` all components of the stack.

    Registered whether it is on or not: the engine refuses to delete it as long as the state says that it is protected,
    so it is switched off by an update.
    """

    def __init__(self, name: str = NAME, *, on: bool, opts: pulumi.ResourceOptions) -> None:
        super().__init__(
            "traceable-kong:index:DeletionProtection",
            name,
            None,
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=on)),
        )
        self.register_outputs({"on": on})
