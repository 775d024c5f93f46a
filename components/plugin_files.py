"""The plugin's files: immutable ConfigMaps in Kong's namespace, with the digest of the files in their names.

New files come in new ConfigMaps, so a running pod keeps the files that it started with, and the gateway only rolls out
when the files differ. The digest is in the logical name too: with the digest in the physical name only, files a, then
b, then a again end in `already exists`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from traceable_kong.plugin.config_maps import (
    PluginConfigMap,
)


@dataclass(frozen=True, kw_only=True)
class PluginFilesArgs:
    """`namespace` is Kong's; `config_maps` is what `plugin_config_maps()` gave; `labels` tell whose they are."""

    namespace: str
    config_maps: Sequence[PluginConfigMap]
    labels: Mapping[str, str]


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
        args: PluginFilesArgs,
        namespace: pulumi.Resource | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:PluginFiles", name, None, opts)
        for item in args.config_maps:
            k8s.core.v1.ConfigMap(
                f"{name}-{item.name}",
                metadata={
                    "name": item.name,
                    "namespace": args.namespace,
                    "labels": {**args.labels, "app.kubernetes.io/name": item.plugin},
                },
                immutable=True,
                data=item.data or None,
                binary_data=item.binary_data or None,
                opts=pulumi.ResourceOptions(parent=self, deleted_with=namespace),
            )
        self.config_map_names = [item.name for item in args.config_maps]
        self.register_outputs({"configMapNames": self.config_map_names})
