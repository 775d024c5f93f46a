"""The gateway of a managed Kong: a Helm Release that mounts the plugin's files.

The injector's pod annotation is not a chart value. The Release always comes before the plugin: a chart value would
remove the TME while the plugin still calls it. TmeInjection sets the annotation in its own step.
"""

from dataclasses import dataclass, field

import pulumi

from components.helm_release import helm_release
from traceable_kong.common.nested_data import Values
from traceable_kong.helm_values.chart import Chart


@dataclass(frozen=True, kw_only=True)
class KongGatewayArgs:
    """What the gateway is made of.

    `fullname` is what `kong_fullname()` gave: fixed, because a Release's own `resourceNames` are unknown in every
    preview that changes it. `values` is what `kong_values()` gave; `timeout_seconds` is how long Helm waits for the
    gateway to be ready, and again for a roll-back. `protect` True refuses to delete the release.
    """

    namespace: str
    release: str
    fullname: str
    chart: Chart
    values: Values = field(repr=False)
    timeout_seconds: int
    protect: bool = False


class KongGateway(pulumi.ComponentResource):
    """A Kong that this stack manages. Outputs: `deployment` (str), `proxyService` (str), `revision` (int).

    `revision` is Helm's revision, unknown in a preview exactly when the Release changes. `resources` is the `release`
    in a list. `import_release` imports a release that exists in the cluster. `hooks` run before Helm starts.
    """

    def __init__(
        self,
        name: str,
        *,
        args: KongGatewayArgs,
        import_release: bool = False,
        hooks: pulumi.ResourceHookBinding | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:KongGateway", name, None, opts)
        self.release = helm_release(
            f"{name}-release",
            name=args.release,
            namespace=args.namespace,
            chart=args.chart,
            values=args.values,
            timeout_seconds=args.timeout_seconds,
            import_existing=import_release,
            opts=pulumi.ResourceOptions(parent=self, hooks=hooks, protect=args.protect),
        )
        self.resources: list[pulumi.CustomResource] = [self.release]
        self.deployment = args.fullname
        self.proxy_service = f"{args.fullname}-proxy"
        self.revision: pulumi.Output[int] = self.release.status.apply(lambda status: int(status.revision or 0))
        self.register_outputs(
            {"deployment": self.deployment, "proxyService": self.proxy_service, "revision": self.revision}
        )
