"""The plugin's files: immutable ConfigMaps in Kong's namespace, with the digest of the files in their names.

New files come in new ConfigMaps, so a running pod keeps the files that it started with, and the gateway only rolls out
when the files differ. The digest is in the logical name too: with the digest in the physical name only, files a, then
b, then a again end in `already exists`.
"""

import pulumi

from traceable_kong.components.kong_namespace import KongNamespace
from traceable_kong.components.kubernetes_object import KubernetesObject
from traceable_kong.plan.model import Gateway, Plan


class PluginFiles(pulumi.ComponentResource):
    """The ConfigMaps. Outputs: `configMapNames` (list of str).

    They are deleted together with `namespace`, if this stack manages it: Helm's uninstall ends before the last pod is
    gone, and Kubernetes deletes the pods of a namespace first (since 1.33,
    https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/, ordered deletion).
    """

    def __init__(
        self,
        name: str,
        *,
        plan: Plan,
        gateway: Gateway,
        namespace: KongNamespace,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:PluginFiles", name, None, opts)
        for item in gateway.config_maps:
            metadata = {
                "name": item.name,
                "namespace": gateway.kong.deployment.namespace,
                "labels": {**plan.labels, "app.kubernetes.io/name": item.plugin},
            }
            content = {"data": item.data or None, "binaryData": item.binary_data or None}
            KubernetesObject(
                "v1",
                "ConfigMap",
                f"{name}-{item.name}",
                {"metadata": metadata, "immutable": True, **content},
                opts=pulumi.ResourceOptions(parent=self, deleted_with=namespace.namespace),
            )
        self.register_outputs({"configMapNames": [item.name for item in gateway.config_maps]})
