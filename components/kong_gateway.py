"""The Kong gateway: the Helm Release with the plugin's files mounted in it.

The injector's annotation on the pods is not a chart value: as one it would be removed before the plugin has changed,
and the plugin would go on calling a sidecar that is gone. TmeInjection sets it, in its own place in the order.
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
    """The gateway.

    Outputs: `deployment` (str), `proxy_service` (str), `revision` (int: Helm's revision, unknown in a preview exactly
    when the Release changes). `release` is the Release itself, `made` the same in a list. `import_release` True takes a
    release that exists into the state, where it is not there yet. `before` is what happens before Helm begins.
    """

    def __init__(
        self,
        name: str,
        *,
        args: KongGatewayArgs,
        import_release: bool = False,
        before: pulumi.ResourceHookBinding | None = None,
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
            opts=pulumi.ResourceOptions(parent=self, hooks=before, protect=args.protect),
        )
        self.made: list[pulumi.CustomResource] = [self.release]
        self.deployment = args.fullname
        self.proxy_service = f"{args.fullname}-proxy"
        self.revision: pulumi.Output[int] = self.release.status.apply(lambda status: int(status.revision or 0))
        self.register_outputs(
            {"deployment": self.deployment, "proxyService": self.proxy_service, "revision": self.revision}
        )
