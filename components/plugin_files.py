"""The files of the rock's plugins in Kong's namespace: immutable ConfigMaps with their digest in their names.

A ConfigMap never changes what it holds: new files come in a new one beside the old, so a pod that is still running
keeps the files it was started with, and nothing rolls unless the files differ. The digest is in the logical name
too: with it in the physical name alone, files a, then b, then a again end in `already exists`.
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
    """The ConfigMaps. Outputs: `config_map_names` (list of str).

    `namespace` is Kong's where it is ours, else None. They go with it: Helm's uninstall ends before the garbage
    collector has reached the last pod, and a namespace is emptied of its pods first (Kubernetes 1.33,
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
