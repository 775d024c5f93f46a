"""The gateway of an existing Kong: the plugin's files in its pods."""

from collections.abc import Mapping
from typing import Any

import pulumi

from traceable_kong.common.nested_data import digest
from traceable_kong.components.deployment_step import DeploymentStep
from traceable_kong.plan import kong_model
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.providers.deployment_patch_provider import DeploymentFiles, PatchFinalizer


class ExistingKong(DeploymentStep):
    """A Kong that is not managed by this stack, with the plugin's files in its pods. Outputs: `deployment` (str).

    This stack only adds its own entries to the Deployment's pod template, and removes them again; if the owner's chart
    values mount the files, it adds nothing. `revision` changes with the files, and is unknown in a preview exactly when
    they change. `hooks` run before the Deployment is changed. There is no `release`. `own_program` are the inputs of
    `own_program_inputs()`.
    """

    release: None = None

    def __init__(
        self,
        name: str,
        *,
        plan: Plan,
        gateway: Gateway,
        kong: kong_model.ExistingKong,
        own_program: Mapping[str, Any],
        hooks: pulumi.ResourceHookBinding | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:ExistingKong", name, None, opts)
        self.resources = []
        target = {
            "namespace": kong.deployment.namespace,
            "deployment": kong.deployment.name,
            "container": kong.deployment.container,
            "owner": plan.owner,
            "timeoutSeconds": kong.timeout_seconds,
            **own_program,
        }
        # If the owner mounts the files, their ConfigMaps must not be deleted before the owner has unmounted them.
        watched = {} if kong.patch else {"files": dict(gateway.files)}
        finalizer = PatchFinalizer(
            f"{name}-claim", props={**target, **watched}, opts=pulumi.ResourceOptions(parent=self)
        )
        self.revision: pulumi.Input[str] = finalizer.mounted.apply(lambda _: digest(dict(gateway.files)))
        if kong.patch is not None:
            patch = DeploymentFiles(
                f"{name}-files",
                props={
                    **target,
                    "files": dict(kong.patch.files),
                    "plugins": list(kong.patch.plugins),
                },
                opts=pulumi.ResourceOptions(parent=self, depends_on=[finalizer], hooks=hooks),
            )
            self.resources.append(patch)
            self.revision = patch.generation
        self.register_outputs({"deployment": kong.deployment.name})
