"""The plugin's files as immutable ConfigMaps with a digest in their names, and where Kong mounts them."""

import base64
import hashlib
import json
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

_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


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


def held_bytes(file_name: str, content: bytes) -> int:
    """The number of bytes that a file takes in its ConfigMap."""
    text = _lua_text(file_name, content)
    return len(file_name) + (4 * -(-len(content) // 3) if text is None else len(content))


def _lua_text(file_name: str, content: bytes) -> str | None:
    """The text of a Lua file; None if the file is in base64 instead.

    Base64 is also for text with control characters, which a terminal would obey in a diff, and for text that JSON
    escapes to more bytes than base64 needs: the API server limits the size of a request (3 MiB).
    """
    if not file_name.endswith(".lua"):
        return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    # Go escapes these three too (https://pkg.go.dev/encoding/json#Marshal), each to six bytes.
    escaped = len(json.dumps(text, ensure_ascii=False).encode()) + 5 * sum(map(text.count, "<>&"))
    unsafe = _CONTROL_CHARACTER.search(text) or 3 * escaped > 4 * len(content) + 1024
    return None if unsafe else text


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
