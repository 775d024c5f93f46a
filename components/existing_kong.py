"""The gateway of an existing Kong: the plugin's files in its pods."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from traceable_kong.common.nested_data import digest
from traceable_kong.deployment_patch.pod_template import PatchSpec
from traceable_kong.providers.deployment_patch_provider import DeploymentFiles, PatchFinalizer


@dataclass(frozen=True, kw_only=True)
class ExistingKongArgs:
    """Which gateway, and what is to be in its pods.

    `files` is `{mount path: ConfigMap}`. `part` is what is added to the pod template, None where the owner's values
    mount the files. `owner` is this stack; a rollout may take `timeout_seconds`.
    """

    namespace: str
    deployment: str
    container: str
    files: Mapping[str, str]
    part: PatchSpec | None
    owner: str
    timeout_seconds: int


class ExistingKong(pulumi.ComponentResource):
    """A Kong that is not managed by this stack. Outputs: `deployment` (str).

    This stack only adds its own entries to the Deployment's pod template, and removes them again; if the owner's chart
    values mount the files, it adds nothing. `revision` changes with the files, and is unknown in a preview exactly when
    they change. `hooks` run before the Deployment is changed. `resources` are what changes it; there is no `release`.
    """

    release: None = None

    def __init__(
        self,
        name: str,
        *,
        args: ExistingKongArgs,
        hooks: pulumi.ResourceHookBinding | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:ExistingKong", name, None, opts)
        self.resources: list[pulumi.CustomResource] = []
        place = {"namespace": args.namespace, "deployment": args.deployment, "container": args.container}
        whose = {"owner": args.owner, "timeoutSeconds": args.timeout_seconds}
        # If the owner mounts the files, their ConfigMaps must not be deleted before the owner has unmounted them.
        watched = {} if args.part else {"files": dict(args.files)}
        claim = PatchFinalizer(
            f"{name}-claim", props={**place, **whose, **watched}, opts=pulumi.ResourceOptions(parent=self)
        )
        self.revision: pulumi.Input[str] = claim.mounted.apply(lambda _: digest(dict(args.files)))
        if args.part is not None:
            files = DeploymentFiles(
                f"{name}-files",
                props={
                    **place,
                    **whose,
                    "files": dict(args.part.files),
                    "plugins": list(args.part.plugins),
                },
                opts=pulumi.ResourceOptions(parent=self, depends_on=[claim], hooks=hooks),
            )
            self.resources.append(files)
            self.revision = files.generation
        self.register_outputs({"deployment": args.deployment})
