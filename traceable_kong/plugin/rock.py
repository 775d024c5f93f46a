"""Reads the plugin's files from a rock (a LuaRocks package) that is not trusted.

A rock is a zip archive with a rockspec and the sources, either in an inner `.tar.gz` or as a directory; the plugins are
in `kong/plugins/<name>/` within that (https://github.com/luarocks/luarocks/blob/main/docs/rock_format.md,
https://developer.konghq.com/custom-plugins/installation-and-distribution/). Its files run inside Kong, and it comes
from the network: every entry is checked before any is used, and nothing is unpacked to disk.
"""

import hashlib
import io
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from traceable_kong.common.safe_text import PlainError

MAX_ARCHIVE_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 32 * 1024 * 1024
MAX_ENTRIES = 2_000
MAX_CONFIG_MAP_BYTES = 1024 * 1024
"""The size limit of a ConfigMap (https://kubernetes.io/docs/concepts/configuration/configmap/)."""

REQUIRED_FILES = ("handler.lua", "schema.lua")
"""Kong does not load a plugin without these (https://developer.konghq.com/custom-plugins/)."""

_PLUGIN_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,49}[a-z0-9])?")
"""The chart names the volume `kong-plugin-<name>`, and the name of a volume is a DNS label."""

_CONFIG_MAP_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_PACKAGE = "kong-plugin-traceable"
_PLUGIN = "traceable"


class RockError(PlainError):
    """The rock cannot be used; the text is for the person at the terminal."""


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
    entries = dict(_unzipped(archive))
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
        raise RockError(f"The rock has several source archives ({', '.join(sorted(inner))}), but it must have one.")
    sources = dict(_untarred(entries[inner[0]], inner[0])) if inner else entries
    return Rock(version=found, sha256=hashlib.sha256(archive).hexdigest(), plugins=_plugins(sources))


def _unzipped(archive: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            infos = opened.infolist()
            _check_count(len(infos))
            seen: set[str] = set()
            left = MAX_UNPACKED_BYTES
            for info in infos:
                # The zip format has no other field for the type; tools that know no modes write 0.
                mode = stat.S_IFMT(info.external_attr >> 16)
                if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise RockError(f"The rock's entry {info.filename!r} is a link or a device, not a file.")
                name = _checked(info.filename, seen)
                if info.is_dir():
                    continue
                if info.flag_bits & 1:
                    raise RockError(f"The rock's entry {info.filename!r} is encrypted.")
                # zipfile unpacks the other methods without a limit.
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise RockError(f"The rock's entry {info.filename!r} has an unsupported compression method.")
                with opened.open(info) as file:
                    content = file.read(left + 1)
                left = _left(left, content)
                yield name, content
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, OSError, ValueError) as problem:
        raise RockError(f"The file is not a readable zip archive: {problem}.") from None


def _untarred(compressed: bytes, archive_name: str) -> Iterator[tuple[str, bytes]]:
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(compressed, MAX_UNPACKED_BYTES + 1)
        _left(MAX_UNPACKED_BYTES, plain)
        if not inflater.eof:
            raise RockError(f"The source archive {archive_name} in the rock is incomplete.")
        if inflater.unused_data.strip(b"\0"):
            raise RockError(f"The source archive {archive_name} in the rock has data after its end.")
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:", tarinfo=_Member) as opened:
            seen: set[str] = set()
            for number, member in enumerate(opened, start=1):
                _check_count(number)
                if not (member.isreg() or member.isdir()):
                    raise RockError(f"{archive_name} has a link or a device instead of a file: {member.name!r}.")
                # The holes of a sparse file need no space in the archive, but any amount of memory.
                if member.issparse():
                    raise RockError(f"{archive_name} has a sparse file, which is not allowed: {member.name!r}.")
                name = _checked(member.name, seen)
                file = opened.extractfile(member)
                if member.isdir() or file is None:
                    continue
                content = file.read()
                if len(content) != member.size:
                    raise RockError(f"The source archive {archive_name} in the rock is incomplete.")
                yield name, content
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError) as problem:
        raise RockError(f"The source archive {archive_name} in the rock cannot be read: {problem}.") from None


class _Member(tarfile.TarInfo):
    """An entry without a negative size, on which older versions of Python loop forever (CVE-2025-8194)."""

    def _block(self, count: int) -> int:
        if count < 0:
            raise tarfile.ReadError("an entry has a negative size")
        return int(super()._block(count))  # type: ignore[misc]


def _check_count(entries: int) -> None:
    if entries > MAX_ENTRIES:
        raise RockError(f"The rock has more than {MAX_ENTRIES} entries, which is too many for a Kong plugin.")


def _left(left: int, content: bytes) -> int:
    if len(content) > left:
        raise RockError(f"The rock unpacks to more than {MAX_UNPACKED_BYTES} bytes, too large for a Kong plugin.")
    return left - len(content)


def _checked(name: str, seen: set[str]) -> str:
    """The path of an entry. Raises RockError for one outside the archive, and for a second one."""
    plain = name.rstrip("/")
    parts = plain.split("/")
    if not plain or name.startswith("/") or "\\" in name or "\0" in name or ":" in parts[0]:
        raise RockError(f"The rock's entry {name!r} has a path that is not allowed.")
    if any(part in ("", "..") for part in parts):
        raise RockError(f"The rock's entry {name!r} has a path outside the archive.")
    path = "/".join(part for part in parts if part != ".")
    if path in seen and path:
        raise RockError(f"The rock has the entry {path!r} twice.")
    seen.add(path)
    return path


def _version(rockspec: bytes, file_name: str) -> str:
    text = rockspec.decode("utf-8", errors="replace")
    found = {key: _assigned(text, key) for key in ("package", "version")}
    if found["package"] != _PACKAGE:
        raise RockError(f"The rock is the package {found['package']!r}, but this program needs {_PACKAGE!r}.")
    version = found["version"]
    if version is None or not re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}-[0-9]{1,9}", version):
        raise RockError(f"The rockspec {file_name} has no version of the form 2.1.2-1.")
    if file_name != f"{_PACKAGE}-{version}.rockspec":
        raise RockError(f"The rockspec {file_name} has the version {version}, which does not match its name.")
    return version


def _assigned(text: str, key: str) -> str | None:
    found = re.search(rf"""^\s*{key}\s*=\s*["']([^"']*)["']""", text, re.MULTILINE)
    return found[1] if found else None


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
        raise RockError(f"The rock has no plugin {_PLUGIN!r}, only {', '.join(sorted(plugins))!r}.")
    for plugin, contents in plugins.items():
        _check_plugin(plugin, contents)
    return plugins


def _check_plugin(plugin: str, contents: Mapping[str, bytes]) -> None:
    if not _PLUGIN_NAME.fullmatch(plugin):
        raise RockError(f"The rock's plugin {plugin!r} has a name that a Kubernetes volume cannot have.")
    missing = [name for name in REQUIRED_FILES if name not in contents]
    if missing:
        raise RockError(f"The rock's plugin {plugin} has no {' and no '.join(missing)}, so Kong would not load it.")
    sizes: dict[PurePosixPath, int] = {}
    for path, content in contents.items():
        name = PurePosixPath(path)
        if not all(_CONFIG_MAP_KEY.fullmatch(part) for part in name.parts):
            raise RockError(f"The rock's plugin {plugin} has a file whose name a ConfigMap cannot have: {path!r}.")
        if any(str(parent) in contents for parent in name.parents):
            raise RockError(f"The rock's plugin {plugin} has a file that is also a directory, above {path!r}.")
        # Files that are not text are in base64, with four bytes for three.
        held = len(content) if _is_text(content) else 4 * -(-len(content) // 3)
        sizes[name.parent] = sizes.get(name.parent, 0) + len(name.name) + held
    for directory, size in sizes.items():
        if size > MAX_CONFIG_MAP_BYTES:
            where = plugin if str(directory) == "." else f"{plugin}/{directory}"
            raise RockError(f"The files of {where} need {size} bytes, but a ConfigMap holds {MAX_CONFIG_MAP_BYTES}.")


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
