"""Reads the plugin's files from a rock (a LuaRocks package) that is not trusted.

A rock is a zip archive with a rockspec and the sources, either in an inner `.tar.gz` or as a directory; the plugins are
in `kong/plugins/<name>/` within that (https://github.com/luarocks/luarocks/blob/main/docs/rock_format.md,
https://developer.konghq.com/custom-plugins/installation-and-distribution/). Its files run inside Kong, and it comes
from the network: every entry is checked before any is used, and nothing is unpacked to disk.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from traceable_kong.plugin.archive_entry import MAX_ARCHIVE_BYTES, RockError, shown
from traceable_kong.plugin.bundled_plugins import BUNDLED_PLUGINS
from traceable_kong.plugin.config_maps import held_bytes
from traceable_kong.plugin.plugin_options import ROCK_VERSION
from traceable_kong.plugin.tar_archive import untar
from traceable_kong.plugin.zip_archive import unzip

MAX_ROCKSPEC_BYTES = 64 * 1024
MAX_CONFIG_MAP_BYTES = 1024 * 1024
"""The size limit of a ConfigMap (https://kubernetes.io/docs/concepts/configuration/configmap/)."""

REQUIRED_FILES = ("handler.lua", "schema.lua")
"""Kong does not load a plugin without these (https://developer.konghq.com/custom-plugins/)."""

_PLUGIN_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,49}[a-z0-9])?")
"""The chart names the volume `kong-plugin-<name>`, and the name of a volume is a DNS label."""

_CONFIG_MAP_KEY = re.compile(r"(?!\.\.)[-._a-zA-Z0-9]{1,253}")
"""The name of a file in a ConfigMap (IsConfigMapKey in Kubernetes' apimachinery)."""

_PACKAGE = "kong-plugin-traceable"
_PLUGIN = "traceable"


@dataclass(frozen=True, kw_only=True)
class Rock:
    """The content of a rock.

    `version` is the rockspec's, `sha256` the digest of the whole archive in hexadecimal digits, `plugins` is
    `{plugin: {path below the plugin's directory: content}}`, with `/` in the paths.
    """

    version: str
    sha256: str
    plugins: Mapping[str, Mapping[str, bytes]] = field(repr=False)


def read(archive: bytes, *, version: str | None = None) -> Rock:
    """Reads an archive. `version` is the expected one, such as `2.1.2-1`; None accepts any. Raises RockError."""
    if len(archive) > MAX_ARCHIVE_BYTES:
        raise RockError(f"The rock has more than {MAX_ARCHIVE_BYTES} bytes, which is too large for a Kong plugin.")
    entries = unzip(archive)
    rockspecs = [name for name in entries if name.endswith(".rockspec") and "/" not in name]
    if len(rockspecs) != 1:
        raise RockError(f"The archive has {len(rockspecs)} rockspecs at its top level, but a rock has exactly one.")
    found = _version(entries[rockspecs[0]], rockspecs[0])
    if version is not None and found != version:
        raise RockError(
            f"The rock has the version {found}, but plugin.version is {version}. The options would be checked against "
            f"the wrong version. Run `pulumi config set --path traceable-kong:plugin.version {found}`, or use another "
            "rock."
        )
    inner = [name for name in entries if name.endswith((".tar.gz", ".tgz")) and "/" not in name]
    if len(inner) > 1:
        raise RockError(f"The rock has several source archives ({shown(*sorted(inner))}), but it must have one.")
    sources = untar(entries[inner[0]], inner[0]) if inner else entries
    return Rock(version=found, sha256=hashlib.sha256(archive).hexdigest(), plugins=_plugins(sources))


def _version(rockspec: bytes, file_name: str) -> str:
    if len(rockspec) > MAX_ROCKSPEC_BYTES:
        raise RockError(f"The rockspec {shown(file_name)} has more than {MAX_ROCKSPEC_BYTES} bytes.")
    text = rockspec.decode("utf-8", errors="replace")
    found = {key: _assigned(text, key) for key in ("package", "version")}
    if found["package"] is None:
        raise RockError(f"The rockspec {shown(file_name)} has no package name.")
    if found["package"] != _PACKAGE:
        raise RockError(f"The rock is the package {shown(found['package'])}, but this program needs {_PACKAGE!r}.")
    version = found["version"]
    if version is None or not ROCK_VERSION.fullmatch(version):
        raise RockError(f"The rockspec {shown(file_name)} has no version of the form 2.1.2-1.")
    if file_name != f"{_PACKAGE}-{version}.rockspec":
        raise RockError(f"The rockspec {shown(file_name)} has the version {version}, which does not match its name.")
    return version


def _assigned(text: str, key: str) -> str | None:
    """The text that a line `KEY = "TEXT"` assigns. A line is read once, from its beginning: a search would not be."""
    assignment = re.compile(rf"""[ \t]*{key}[ \t]*=[ \t]*["']([^"']*)["']""")
    return next((found[1] for line in text.splitlines() if (found := assignment.match(line))), None)


def _plugins(files: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    plugins: dict[str, dict[str, bytes]] = {}
    roots: set[str] = set()
    for path, content in files.items():
        root, marker, below = f"/{path}".partition("/kong/plugins/")
        plugin, _, name = below.partition("/")
        if marker and name:
            roots.add(root)
            plugins.setdefault(plugin, {})[name] = content
    if not plugins:
        raise RockError("The rock has no directory kong/plugins/<name>/, so it contains no Kong plugin.")
    if len(roots) > 1:
        raise RockError("The rock has several directories kong/plugins, so the right one cannot be determined.")
    if _PLUGIN not in plugins:
        raise RockError(f"The rock has no plugin {_PLUGIN!r}, only {shown(*sorted(plugins))}.")
    for plugin, contents in plugins.items():
        _check_plugin(plugin, contents)
    return plugins


def _check_plugin(plugin: str, contents: Mapping[str, bytes]) -> None:
    if not _PLUGIN_NAME.fullmatch(plugin):
        raise RockError(f"The rock's plugin {shown(plugin)} has a name that a Kubernetes volume cannot have.")
    if plugin in BUNDLED_PLUGINS:
        raise RockError(f"The rock has a plugin {plugin}, and Kong would load it instead of its own plugin {plugin}.")
    missing = [name for name in REQUIRED_FILES if name not in contents]
    if missing:
        raise RockError(f"The rock's plugin {plugin} has no {' and no '.join(missing)}, so Kong would not load it.")
    sizes: dict[PurePosixPath, int] = {}
    for path, content in contents.items():
        name = PurePosixPath(path)
        if not all(_CONFIG_MAP_KEY.fullmatch(part) for part in name.parts):
            raise RockError(f"The rock's plugin {plugin} has a file whose name a ConfigMap cannot have: {shown(path)}.")
        if any(str(parent) in contents for parent in name.parents):
            raise RockError(f"The rock's plugin {plugin} has a file that is also a directory, above {shown(path)}.")
        sizes[name.parent] = sizes.get(name.parent, 0) + held_bytes(name.name, content)
    for directory, size in sizes.items():
        if size > MAX_CONFIG_MAP_BYTES:
            where = plugin if str(directory) == "." else shown(f"{plugin}/{directory}")
            raise RockError(f"The files of {where} need {size} bytes, but a ConfigMap holds {MAX_CONFIG_MAP_BYTES}.")
