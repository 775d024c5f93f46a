"""The plugin on the gateway: a KongClusterPlugin that the gateway's own ingress controller reads (DB-less Kong).

The controller never fills in the status of a KongClusterPlugin (kubernetes-ingress-controller issue 4584), so
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

    A class of its own, because `apiextensions.CustomResource` passes on `spec` only, and this kind has none.
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
    """The plugin. Outputs: `plugin_name` (str). `made` is the KongClusterPlugin, in a list.

    `kong_revision` stands for the gateway with the plugin's files, as Helm's revision does for one that is ours. It is
    unknown in a preview exactly when the gateway changes, and an object with unknown parts is not dry-run on the
    server: so the controller's webhook does not judge a new option by the Kong that still runs. The plugin is
    registered once it is known, so it can hold the plugin back too.
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
            # Two global plugins of one name and class are both dropped: under a new name, the old one goes first.
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=True,
                # One that was made with `kubectl apply` has its secret options in an annotation, too.
                additional_secret_outputs=list(LIVE_OBJECT),
            ),
        )
        self.made: list[pulumi.CustomResource] = [plugin]
        self.register_outputs({"pluginName": args.plugin_name})
