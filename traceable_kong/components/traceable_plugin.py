"""The plugin on a DB-less gateway: a KongClusterPlugin, which the gateway's ingress controller reads.

The controller never sets the status of a KongClusterPlugin (kubernetes-ingress-controller issue 4584), so the
verification asks Kong itself.
"""

import pulumi

from traceable_kong.components.deployment_step import DeploymentStep
from traceable_kong.components.kubernetes_object import KubernetesObject
from traceable_kong.components.secret_outputs import LIVE_OBJECT
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plugin.kong_cluster_plugin import API_VERSION, KIND

REVISION_ANNOTATION = "traceable-kong/kong-revision"


class TraceablePlugin(DeploymentStep):
    """The KongClusterPlugin. Outputs: `pluginName` (str).

    `kong_revision` must be unknown in a preview exactly when the gateway changes: the provider does not dry-run an
    object with unknown parts, and otherwise the controller's webhook would check new options against the Kong that
    still runs. The plugin is registered when the revision is known, so a failing revision keeps it unchanged.
    """

    def __init__(
        self,
        name: str,
        *,
        plan: Plan,
        gateway: Gateway,
        kong_revision: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:TraceablePlugin", name, None, opts)
        resource = gateway.plugin.custom_resource
        assert resource is not None, "with a database the plugin is a plugin entity"
        document = gateway.plugin.document(resource, plan.labels)
        document["metadata"]["annotations"][REVISION_ANNOTATION] = kong_revision
        registered = KubernetesObject(
            API_VERSION,
            KIND,
            f"{name}-kong-cluster-plugin",
            document,
            # The controller drops two global plugins of one class: under a new name, the old one is deleted first.
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=True,
                # An object that was created with `kubectl apply` has its secret options in an annotation too.
                additional_secret_outputs=list(LIVE_OBJECT),
            ),
        )
        self.resources = [registered]
        self.register_outputs({"pluginName": resource.name})
