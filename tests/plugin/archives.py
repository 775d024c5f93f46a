"""Rocks for the tests, with whatever in them."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping

VERSION = "2.1.2-1"
TOP = "kong-plugin-traceable-2.1.2"
FILES = {"handler.lua": b"return {}", "schema.lua": b"return { name = 'traceable' }"}


def rockspec(version: str = VERSION, package: str = "kong-plugin-traceable") -> bytes:
    return f'package = "{package}"\nversion = "{version}"\nsource = {{ url = "x.tar.gz" }}\n'.encode()


def in_plugin(files: Mapping[str, bytes], plugin: str = "traceable") -> dict[str, bytes]:
    return {f"{TOP}/kong/plugins/{plugin}/{name}": content for name, content in files.items()}


def tar(entries: Mapping[str, bytes] | Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    members = (
        [(member(name, content), content) for name, content in entries.items()]
        if isinstance(entries, Mapping)
        else entries
    )
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return plain.getvalue()


def member(name: str, content: bytes = b"", **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def zipped(entries: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return plain.getvalue()


def rock(
    files: Mapping[str, bytes] | None = None,
    *,
    spec: bytes | None = None,
    spec_name: str = f"kong-plugin-traceable-{VERSION}.rockspec",
    source: bytes | None = None,
    more: Iterable[tuple[str | zipfile.ZipInfo, bytes]] = (),
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A rock with `files` (`{whole path: content}`) in an inner archive, or with `source` in place of that archive."""
    inner = gzip.compress(tar(in_plugin(FILES) if files is None else files), mtime=0) if source is None else source
    return zipped([(spec_name, rockspec() if spec is None else spec), (f"{TOP}.tar.gz", inner), *more], method=method)


def unpacked(files: Mapping[str, bytes]) -> bytes:
    """A rock with the unpacked directory in place of the inner archive."""
    return zipped([(f"kong-plugin-traceable-{VERSION}.rockspec", rockspec()), *files.items()])
