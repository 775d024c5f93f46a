"""The plugin's files as immutable ConfigMaps with a digest in their names, and where Kong mounts them."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

PLUGINS_DIRECTORY = "/opt/kong/plugins"
"""Where the Kong chart mounts plugins, each in a directory of its own (kong chart 3.4.1)."""

LUA_PATH = "/opt/?.lua"
"""The entry of Kong's Lua package path with which it finds `kong.plugins.NAME` there; the first entry has priority."""

DIGEST_LENGTH = 10
"""The number of hexadecimal digits in the name of a ConfigMap."""


@dataclass(frozen=True, kw_only=True)
class PluginConfigMap:
    """The ConfigMap for one directory of one plugin.

    `directory` is "" for the plugin's own directory, or a path below it ("utils", "utils/json"). `digest` is that of
    `files_digest()`.
    """

    name: str
    digest: str
    plugin: str
    directory: str
    data: Mapping[str, str] = field(repr=False)
    binary_data: Mapping[str, str] = field(repr=False)


def plugin_config_maps(plugins: Mapping[str, Mapping[str, bytes]]) -> list[PluginConfigMap]:
    """One ConfigMap per directory of each plugin, for `{plugin: {path below the plugin: content}}`.

    Lua files are in `data`, all others in `binaryData` in base64
    (https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-object): Pulumi's diff shortens long text
    and base64, but prints JSON and YAML in full.
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
        # The chart names the volume of a subdirectory like its ConfigMap, and a volume's name has at most 63
        # characters.
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
    """`{mount path: ConfigMap}` with the paths of the Kong chart (kong chart 3.4.1, `kong.plugins`)."""
    return {
        "/".join(part for part in (PLUGINS_DIRECTORY, item.plugin, item.directory) if part): item.name
        for item in config_maps
    }


def files_digest(plugin: str, directory: str, contents: Mapping[str, bytes]) -> str:
    """The SHA-256 of one directory of a plugin; the name of its ConfigMap has the first digits.

    `directory` is "" for the plugin's own directory, `contents` is `{file name: content}`.
    """
    # With the directory: two directories with the same files are two ConfigMaps.
    hasher = hashlib.sha256(f"{plugin}/{directory}:".encode())
    for file_name, content in sorted(contents.items()):
        # With lengths, so that no two sets of files give the same bytes.
        hasher.update(f"{len(file_name)}:{file_name}:{len(content)}:".encode() + content)
    return hasher.hexdigest()
