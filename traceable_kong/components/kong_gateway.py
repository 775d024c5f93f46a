"""The gateway of a managed Kong: a Helm Release that mounts the plugin's files.

The injector's pod annotation is not a chart value. The Release always comes before the plugin: a chart value would
remove the TME while the plugin still calls it. TmeInjection sets the annotation in its own step.
"""

import pulumi

from traceable_kong.components.deployment_step import DeploymentStep
from traceable_kong.components.helm_release import helm_release
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.release_model import ReleaseKey


class KongGateway(DeploymentStep):
    """A Kong that this stack manages. Outputs: `deployment` (str), `proxyService` (str), `revision` (int).

    `revision` is Helm's revision, unknown in a preview exactly when the `release` changes. A release in
    `imports` exists in the cluster and is imported. `hooks` run before Helm starts.
    """

    def __init__(
        self,
        name: str,
        *,
        kong: ManagedKong,
        imports: frozenset[ReleaseKey] = frozenset(),
        hooks: pulumi.ResourceHookBinding | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:KongGateway", name, None, opts)
        self.release = helm_release(
            f"{name}-release",
            kong.release,
            import_existing=kong.release.key in imports,
            opts=pulumi.ResourceOptions(parent=self, hooks=hooks),
        )
        self.resources = [self.release]
        self.revision: pulumi.Output[int] = self.release.status.apply(lambda status: int(status.get("revision") or 0))
        # Not from the Release's `resourceNames`, which are unknown in every preview that changes it.
        deployment = kong.deployment.name
        self.register_outputs(
            {"deployment": deployment, "proxyService": f"{deployment}-proxy", "revision": self.revision}
        )
