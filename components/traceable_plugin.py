"""The plugin on a DB-less gateway: a KongClusterPlugin, which the gateway's ingress controller reads.

The controller never sets the status of a KongClusterPlugin (kubernetes-ingress-controller issue 4584), so the
verification asks Kong itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.secret_outputs import LIVE_OBJECT, with_secrets
from traceable_kong.common.nested_data import Values
from traceable_kong.plugin.kong_cluster_plugin import API_VERSION, KIND, plugin_object
from traceable_kong.plugin.plugin_config import PLUGIN

REVISION_ANNOTATION = "traceable-kong/kong-revision"


class KongClusterPlugin(pulumi.CustomResource):
    """configuration.konghq.com/v1 KongClusterPlugin.

    `apiextensions.CustomResource` only passes `spec`, which this kind does not have.
    """

    def __init__(self, name: str, *, document: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"kubernetes:{API_VERSION}:{KIND}", name, dict(document), opts)


@dataclass(frozen=True, kw_only=True)
class TraceablePluginArgs:
    """What the plugin is.

    `ingress_class` is the gateway's: its controller reads no other. `everywhere` True is every route (label
    `global`); False only routes and services annotated with `plugin_name`. `enabled` False leaves it standing,
    disabled. `config` is what `plugin_config()` gave. `labels` tell whose it is. `document` is the object.
    """

    plugin_name: str
    ingress_class: str
    everywhere: bool
    enabled: bool
    config: Values = field(repr=False)
    labels: Mapping[str, str]

    @property
    def document(self) -> Values:
        return plugin_object(
            naming={"name": self.plugin_name},
            plugin=PLUGIN,
            ingress_class=self.ingress_class,
            everywhere=self.everywhere,
            enabled=self.enabled,
            config=self.config,
            labels=self.labels,
        )


class TraceablePlugin(pulumi.ComponentResource):
    """The KongClusterPlugin, in `resources`. Outputs: `pluginName` (str).

    `kong_revision` must be unknown in a preview exactly when the gateway changes: the provider does not dry-run an
    object with unknown parts, and otherwise the controller's webhook would check new options against the Kong that
    still runs. The plugin is registered when the revision is known, so a failing revision keeps it unchanged.
    """

    def __init__(
        self,
        name: str,
        *,
        args: TraceablePluginArgs,
        kong_revision: pulumi.Input[int] | pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:TraceablePlugin", name, None, opts)
        document = with_secrets(args.document)
        document["metadata"]["annotations"][REVISION_ANNOTATION] = pulumi.Output.from_input(kong_revision).apply(str)
        plugin = KongClusterPlugin(
            f"{name}-kong-cluster-plugin",
            document=document,
            # The controller drops two global plugins of one class: under a new name, the old one is deleted first.
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=True,
                # An object that was created with `kubectl apply` has its secret options in an annotation too.
                additional_secret_outputs=list(LIVE_OBJECT),
            ),
        )
        self.resources: list[pulumi.CustomResource] = [plugin]
        self.register_outputs({"pluginName": args.plugin_name})
