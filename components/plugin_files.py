"""The files of the rock's plugins in Kong's namespace: immutable ConfigMaps with their digest in their names.

A ConfigMap never changes what it holds: new files come in a new one beside the old, so a pod that is still running
keeps the files it was started with, and nothing rolls unless the files differ. The digest is in the logical name
too: with it in the physical name alone, files a, then b, then a again end in `already exists`.
Leaves out the mounting, which is the Kong chart's work, and the reading of the archive.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from proof.expectation import PLUGINS_DIRECTORY
from proof.files import files_digest

DIGEST_LENGTH = 10
"""How much of its digest the name of a ConfigMap has."""


@dataclass(frozen=True, kw_only=True)
class PluginConfigMap:
    """One directory of one plugin: what the ConfigMap holds and where Kong finds it.

    `directory` is "" for the plugin's own directory, else a path below it ("utils", "utils/json"). `digest` is the
    SHA-256 of its files (proof/files.py).
    """

    name: str
    digest: str
    plugin: str
    directory: str
    data: Mapping[str, str] = field(repr=False)
    binary_data: Mapping[str, str] = field(repr=False)


def plugin_config_maps(plugins: Mapping[str, Mapping[str, bytes]]) -> list[PluginConfigMap]:
    """One ConfigMap per directory of each plugin, for `{plugin: {path below the plugin: content}}`.

    A ConfigMap has no directories, hence one each. Lua goes to `data`, everything else to `binaryData` in base64
    (https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-object): a diff cuts long text and base64
    short, and unfolds whatever it can read as JSON or YAML.
    """
    result = []
    for plugin, files in sorted(plugins.items()):
        directories: dict[str, dict[str, bytes]] = {}
        for path, content in sorted(files.items()):
            parent = PurePosixPath(path).parent
            directory = "" if parent == PurePosixPath(".") else str(parent)
            directories.setdefault(directory, {})[PurePosixPath(path).name] = content
        for directory, contents in sorted(directories.items()):
            result.append(_config_map(plugin, directory, contents))
    return result


def _config_map(plugin: str, directory: str, contents: Mapping[str, bytes]) -> PluginConfigMap:
    data: dict[str, str] = {}
    binary_data: dict[str, str] = {}
    for file_name, content in sorted(contents.items()):
        text = _lua_text(file_name, content)
        if text is None:
            binary_data[file_name] = base64.b64encode(content).decode("ascii")
        else:
            data[file_name] = text
    parts = ["kong-plugin", plugin, *PurePosixPath(directory).parts]
    stem = re.sub(r"[^a-z0-9-]", "-", "-".join(parts).lower())
    digest = files_digest(plugin, directory, contents)
    return PluginConfigMap(
        # The chart names the volume of a subdirectory by its ConfigMap, and a volume's name ends at 63 characters.
        name=f"{stem[: 62 - DIGEST_LENGTH].rstrip('-')}-{digest[:DIGEST_LENGTH]}",
        digest=digest,
        plugin=plugin,
        directory=directory,
        data=data,
        binary_data=binary_data,
    )


def _lua_text(file_name: str, content: bytes) -> str | None:
    if not file_name.endswith(".lua"):
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def chart_entries(config_maps: Sequence[PluginConfigMap]) -> list[dict[str, Any]]:
    """The Kong chart's `plugins.configMaps` for these ConfigMaps (kong chart 3.4.1, values.yaml)."""
    entries = []
    for top in (item for item in config_maps if item.directory == ""):
        entry: dict[str, Any] = {"name": top.name, "pluginName": top.plugin}
        below = [item for item in config_maps if item.plugin == top.plugin and item.directory]
        if below:
            entry["subdirectories"] = [{"name": item.name, "path": item.directory} for item in below]
        entries.append(entry)
    return entries


def mount_paths(config_maps: Sequence[PluginConfigMap]) -> dict[str, str]:
    """`{mount path: ConfigMap}` as the Kong chart mounts them (kong chart 3.4.1, `kong.plugins`)."""
    return {
        "/".join(part for part in (PLUGINS_DIRECTORY, item.plugin, item.directory) if part): item.name
        for item in config_maps
    }


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
