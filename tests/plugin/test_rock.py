"""Rocks that can be read, and one archive for each reason to refuse one."""

import gzip
import hashlib
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

import local.rock
from tests.plugin import archives
from tests.plugin.archives import FILES, TOP, VERSION, in_plugin, member, rockspec, tar
from traceable_kong.plugin import rock
from traceable_kong.plugin.archive_entry import MAX_ARCHIVE_BYTES, MAX_ENTRIES, MAX_UNPACKED_BYTES, RockError


def gz(entries: dict[str, bytes] | list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    return gzip.compress(tar(entries), mtime=0)


GOOD = [(member(name, content), content) for name, content in in_plugin(FILES).items()]


def test_a_rock_with_an_inner_archive() -> None:
    archive = archives.rock()
    assert rock.read(archive, version=VERSION) == rock.Rock(
        version=VERSION, sha256=hashlib.sha256(archive).hexdigest(), plugins={"traceable": FILES}
    )


def test_a_rock_with_the_unpacked_directory() -> None:
    assert rock.read(archives.unpacked(in_plugin(FILES))).plugins == {"traceable": FILES}


def test_every_plugin_and_directory_is_read() -> None:
    nested = {**FILES, "utils/json/init.lua": b"\xff\xfe"}
    found = rock.read(archives.rock({**in_plugin(nested), **in_plugin(FILES, "traceable-ai-extension")}))
    assert found.plugins == {"traceable": nested, "traceable-ai-extension": FILES}


def test_files_outside_the_plugins_are_ignored() -> None:
    assert rock.read(archives.rock({**in_plugin(FILES), f"{TOP}/README.md": b"x"})).plugins == {"traceable": FILES}


@pytest.mark.parametrize("version", ["2.0.9-1", "2.1.2-1", "2.4.0-2"])
def test_the_rock_of_the_local_platform(tmp_path: Path, version: str) -> None:
    found = rock.read(local.rock.make(tmp_path, version=version).read_bytes(), version=version)
    assert found.version == version
    assert found.plugins == {
        plugin: {name: text.encode() for name, text in files.items()}
        for plugin, files in local.rock.plugins(version).items()
    }


def with_member(info: tarfile.TarInfo) -> bytes:
    return archives.rock(source=gz([*GOOD, (info, b"")]))


def zip_entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


def sparse() -> bytes:
    """A few bytes that say they are a gigabyte (GNU tar, PAX sparse format 0.1)."""
    info = member(f"{TOP}/kong/plugins/traceable/handler.lua", b"x")
    info.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(2**30), "GNU.sparse.numblocks": "1"}
    return gz([*GOOD[1:], (info, b"x")])


def negative_size() -> bytes:
    plain = bytearray(tar([(member("a"), b"")]))
    plain[124:136] = b"\xff" * 11 + b"\x00"
    plain[148:156] = b" " * 8
    plain[148:156] = f"{sum(plain[:512]):06o}\0 ".encode()
    return gzip.compress(bytes(plain))


def cut(archive: bytes) -> bytes:
    return archive[: len(archive) // 2]


def encrypted() -> bytes:
    archive = bytearray(archives.rock())
    start = archive.index(b"PK\x01\x02")
    archive[start + 8] |= 1
    return bytes(archive)


def wrong_checksum() -> bytes:
    archive = bytearray(
        archives.zipped([(f"kong-plugin-traceable-{VERSION}.rockspec", rockspec())], zipfile.ZIP_STORED)
    )
    archive[archive.index(b"package")] ^= 1
    return bytes(archive)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not a readable zip archive"),
    "not a zip": (lambda: b"<html>not found</html>", "not a readable zip archive"),
    "a tar": (lambda: gz(GOOD), "not a readable zip archive"),
    "cut off": (lambda: cut(archives.rock()), "not a readable zip archive"),
    "wrong checksum": (wrong_checksum, "not a readable zip archive"),
    "encrypted": (encrypted, "encrypted"),
    "compressed otherwise": (lambda: archives.rock(method=zipfile.ZIP_BZIP2), "unsupported compression method"),
    "too large": (lambda: b"\0" * (MAX_ARCHIVE_BYTES + 1), "too large for a Kong plugin"),
    "no rockspec": (lambda: archives.zipped(list(in_plugin(FILES).items())), "has 0 rockspecs"),
    "two rockspecs": (lambda: archives.rock(more=[("b.rockspec", rockspec())]), "has 2 rockspecs"),
    "another package": (lambda: archives.rock(spec=rockspec(package="kong-plugin-x")), "is the package"),
    "no version": (lambda: archives.rock(spec=b'package = "kong-plugin-traceable"'), "has no version"),
    "a version of another form": (lambda: archives.rock(spec=rockspec("2.1")), "has no version"),
    "a name that does not fit": (lambda: archives.rock(spec=rockspec("2.2.0-1")), "does not match its name"),
    "another version": (
        lambda: archives.rock(spec=rockspec("2.2.0-1"), spec_name="kong-plugin-traceable-2.2.0-1.rockspec"),
        "has the version 2.2.0-1, but plugin.version is 2.1.2-1",
    ),
    "two sources": (lambda: archives.rock(more=[("other.tgz", gz(GOOD))]), "several source archives"),
    "no plugin": (lambda: archives.rock({f"{TOP}/README.md": b"x"}), "no directory kong/plugins/<name>/"),
    "another plugin": (lambda: archives.rock(in_plugin(FILES, "other")), "has no plugin 'traceable'"),
    "no handler": (lambda: archives.rock(in_plugin({"schema.lua": b""})), "no handler.lua"),
    "no schema": (lambda: archives.rock(in_plugin({"handler.lua": b""})), "no schema.lua"),
    "two roots": (
        lambda: archives.rock({**in_plugin(FILES), "x/kong/plugins/a/b": b""}),
        "several directories kong/plugins",
    ),
    "a plugin no volume can be named after": (
        lambda: archives.rock({**in_plugin(FILES), **in_plugin(FILES, "a_b")}),
        "has a name that a Kubernetes volume cannot have",
    ),
    "a file no ConfigMap holds": (
        lambda: archives.rock(in_plugin({**FILES, "ä.lua": b""})),
        "whose name a ConfigMap cannot have",
    ),
    "a directory no ConfigMap holds": (
        lambda: archives.rock(in_plugin({**FILES, "a b/c.lua": b""})),
        "whose name a ConfigMap cannot have",
    ),
    "a file that is a directory": (
        lambda: archives.rock(in_plugin({**FILES, "handler.lua/x.lua": b""})),
        "a file that is also a directory",
    ),
    "more than a ConfigMap holds": (
        lambda: archives.rock(in_plugin({**FILES, "big.lua": b" " * (1024 * 1024)})),
        "but a ConfigMap holds 1048576",
    ),
    "more than a ConfigMap holds in base64": (
        lambda: archives.rock(in_plugin({**FILES, "big.bin": b"\xff" * (800 * 1024)})),
        "but a ConfigMap holds 1048576",
    ),
    "a zip bomb": (
        lambda: archives.rock(more=[("big", b"\0" * (MAX_UNPACKED_BYTES + 1))]),
        "unpacks to more than",
    ),
    "a zip bomb of many": (
        lambda: archives.rock(more=[(f"big{n}", b"\0" * (MAX_UNPACKED_BYTES // 4)) for n in range(5)]),
        "unpacks to more than",
    ),
    "a gzip bomb": (
        lambda: archives.rock(source=gzip.compress(b"\0" * (MAX_UNPACKED_BYTES + 1))),
        "unpacks to more than",
    ),
    "a nested bomb": (lambda: archives.rock(source=gzip.compress(gzip.compress(b"\0" * 2**24))), "cannot be read"),
    "a sparse file": (lambda: archives.rock(source=sparse()), "sparse file"),
    "a negative size": (lambda: archives.rock(source=negative_size()), "cannot be read"),
    "too many entries": (lambda: archives.zipped((f"f{n}", b"") for n in range(MAX_ENTRIES + 1)), "entries"),
    "too many entries inside": (
        lambda: archives.rock({f"f{n}": b"" for n in range(MAX_ENTRIES + 1)}),
        "entries",
    ),
    "source that is no gzip": (lambda: archives.rock(source=tar(GOOD)), "cannot be read"),
    "source that is incomplete": (lambda: archives.rock(source=cut(gz(GOOD))), "is incomplete"),
    "source whose tar is incomplete": (
        lambda: archives.rock(source=gzip.compress(tar([(member("a", b"x" * 5000), b"x" * 5000)])[:1024])),
        "cannot be read|cut off",
    ),
    "source with something behind it": (lambda: archives.rock(source=gz(GOOD) + gz(GOOD)), "after its end"),
}
for title, path in {"up": "../x", "absolute": "/etc/passwd", "up inside": "a/../../x", "backslash": "..\\x"}.items():
    REFUSED[f"zip: {title}"] = (partial(archives.rock, more=[(path, b"")]), "path that is not|path outside")
    REFUSED[f"tar: {title}"] = (partial(with_member, member(path)), "path that is not|path outside")
REFUSED["zip: a drive"] = (lambda: archives.rock(more=[("c:/x", b"")]), "not allowed")
REFUSED["zip: twice"] = (lambda: archives.rock(more=[("a", b"1"), ("a", b"2")]), "'a' twice")
REFUSED["zip: twice in other words"] = (lambda: archives.rock(more=[("a/b", b"1"), ("a/./b", b"2")]), "'a/b' twice")
REFUSED["tar: twice"] = (lambda: archives.rock(source=gz([*GOOD, GOOD[0]])), "twice")
REFUSED["zip: a link"] = (
    lambda: archives.rock(more=[(zip_entry("link", stat.S_IFLNK | 0o777), b"/etc/passwd")]),
    "a link or a device",
)
for title, kind in {
    "symbolic link": tarfile.SYMTYPE,
    "hard link": tarfile.LNKTYPE,
    "character device": tarfile.CHRTYPE,
    "block device": tarfile.BLKTYPE,
    "pipe": tarfile.FIFOTYPE,
}.items():
    REFUSED[f"tar: {title}"] = (
        partial(with_member, member("x", type=kind, linkname="/etc/passwd")),
        "a link or a device",
    )


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """zipfile warns of the duplicates that these tests write."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


@pytest.mark.parametrize("case", REFUSED)
def test_an_unusable_archive_is_refused(case: str) -> None:
    make, reason = REFUSED[case]
    with pytest.raises(RockError, match=reason):
        rock.read(make(), version=VERSION)


def test_a_config_map_may_be_full_to_the_last_byte() -> None:
    used = sum(len(name) + len(content) for name, content in FILES.items()) + len("big.lua")
    big = b" " * (rock.MAX_CONFIG_MAP_BYTES - used)
    assert rock.read(archives.rock(in_plugin({**FILES, "big.lua": big}))).plugins["traceable"]["big.lua"] == big
    with pytest.raises(RockError, match="but a ConfigMap holds"):
        rock.read(archives.rock(in_plugin({**FILES, "big.lua": big + b" "})))


def test_an_error_does_not_show_content() -> None:
    assert "planted" not in repr(rock.read(archives.rock(in_plugin({**FILES, "a.lua": b"planted"}))))
