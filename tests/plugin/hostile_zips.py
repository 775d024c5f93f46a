"""Zip archives that no rock should be, written byte by byte: any field can have any value."""

import dataclasses
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from tests.plugin import archives
from tests.plugin.archives import FILES, VERSION, in_plugin, rockspec

SPEC_NAME = f"kong-plugin-traceable-{VERSION}.rockspec"
Make = Callable[[], bytes]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of a zip archive. What is None is what it should be."""

    name: bytes
    content: bytes = b""
    header_name: bytes | None = None
    flags: int = 0
    method: int = 8
    checksum: int | None = None
    packed: bytes | None = None
    packed_size: int | None = None
    size: int | None = None
    extra: bytes = b""
    attributes: int = 0
    signature: bytes = b"PK\x01\x02"
    start: int | None = None


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


def raw_zip(
    entries: Iterable[Entry],
    *,
    count: int | None = None,
    disk: int = 0,
    start: int | None = None,
    size: int | None = None,
    comment: bytes = b"",
    comment_length: int | None = None,
    before_end: bytes = b"",
    body: bytes = b"",
) -> bytes:
    """An archive; the keywords are the fields of its last record."""
    files, directory, number = bytearray(body), bytearray(), 0
    for entry in entries:
        number += 1
        packed = deflated(entry.content) if entry.packed is None else entry.packed
        checksum = zlib.crc32(entry.content) if entry.checksum is None else entry.checksum
        packed_size = len(packed) if entry.packed_size is None else entry.packed_size
        full_size = len(entry.content) if entry.size is None else entry.size
        at = len(files) if entry.start is None else entry.start
        common = (20, entry.flags, entry.method, 0, 0, checksum, packed_size, full_size)
        if entry.start is None:
            name = entry.name if entry.header_name is None else entry.header_name
            files += struct.pack("<4s5H3L2H", b"PK\x03\x04", *common, len(name), len(entry.extra))
            files += name + entry.extra + packed
        directory += struct.pack(
            "<4s6H3L5H2L",
            *(entry.signature, 0x0314, *common, len(entry.name), len(entry.extra), 0, 0, 0, entry.attributes, at),
        )
        directory += entry.name + entry.extra
    number = number if count is None else count
    fields = (
        *(disk, disk, number & 0xFFFF, number & 0xFFFF),
        len(directory) if size is None else size,
        len(files) if start is None else start,
        len(comment) if comment_length is None else comment_length,
    )
    return bytes(files + directory + before_end + struct.pack("<4s4H2LH", b"PK\x05\x06", *fields) + comment)


SPEC = Entry(name=SPEC_NAME.encode(), content=rockspec())
GOOD = [SPEC, *(Entry(name=name.encode(), content=content) for name, content in in_plugin(FILES).items())]


def with_entry(**fields: object) -> Make:
    return lambda: raw_zip([*GOOD, Entry(**{"name": b"more", **fields})])  # type: ignore[arg-type]


def sharing() -> bytes:
    """300 entries that end with the same 16 MiB of empty blocks; each quotes the header of the next in a block."""
    blocks = b"\x00\x00\x00\xff\xff" * (16 * 1024**2 // 5) + b"\x03\x00"
    pieces, content, length = [blocks], b"", len(blocks)
    entries: list[Entry] = []
    for number in reversed(range(300)):
        name = b"%03d" % number
        fields = (20, 0, 8, 0, 0, zlib.crc32(content), length, len(content), len(name), 0)
        quoted = struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields) + name
        entries.append(Entry(name=name, content=content, packed_size=length))
        block = b"\x00" + struct.pack("<HH", len(quoted), len(quoted) ^ 0xFFFF)
        pieces += [quoted, block] if number else [quoted]
        length, content = length + len(quoted) + len(block), quoted + content
    body, start = b"".join(reversed(pieces)), 0
    located = []
    for entry in reversed(entries):
        located.append(dataclasses.replace(entry, start=start))
        start += 30 + len(entry.name) + 5
    return raw_zip(located, body=body)


def zip_attacks() -> Iterator[tuple[str, Make]]:
    """`(name, archive)`: each must be refused."""
    bomb = b"\0" * (40 * 1024**2)
    yield from {
        "entries that share their bytes": sharing,
        "65,535 entries": lambda: raw_zip(Entry(name=b"%d" % n) for n in range(65_535)),
        "200,000 entries": lambda: raw_zip(Entry(name=b"%d" % n) for n in range(200_000)),
        "no entries, and a directory": lambda: raw_zip(GOOD, count=0),
        "one entry that is not counted": lambda: raw_zip([*GOOD, Entry(name=b"hidden")], count=len(GOOD)),
        "more entries than there are": lambda: raw_zip(GOOD, count=100),
        "two disks": lambda: raw_zip(GOOD, disk=1),
        "a directory past the end": lambda: raw_zip(GOOD, start=2**32 - 1),
        "a directory with a wrong size": lambda: raw_zip(GOOD, size=2**31),
        "bytes before the last record": lambda: raw_zip(GOOD, before_end=b"PK\x06\x07" + b"\0" * 16),
        "a comment that is cut off": lambda: raw_zip(GOOD, comment_length=9),
        "a comment with a last record": lambda: raw_zip(GOOD, comment=raw_zip([])),
        "bytes before the archive": lambda: b"#!/bin/sh\n" + raw_zip(GOOD),
        "an announced size that is too small": with_entry(content=b"x" * 100, size=1),
        "an announced size that is too large": with_entry(content=b"x" * 100, size=101),
        "a wrong checksum": with_entry(content=b"x", checksum=0),
        "data that is no deflate": with_entry(packed=b"\xff" * 100, size=10),
        "data that is cut off": with_entry(content=bytes(range(256)), packed_size=10),
        "data past the end": with_entry(start=2**31),
        "a file header of another name": with_entry(header_name=b"else"),
        "a bomb": with_entry(content=bomb),
        "a bomb that announces little": with_entry(content=bomb, size=1),
        "an entry with another signature": with_entry(signature=b"PK\x01\x03"),
        "an encrypted entry": with_entry(flags=1),
        "a link": with_entry(content=b"/etc/passwd", attributes=0o120777 << 16),
        "a device": with_entry(attributes=0o060666 << 16),
        "a name of 32,767 directories": with_entry(name=b"a/" * 32_767),
        "a name of 65,535 letters": with_entry(name=b"a" * 65_535),
        "a name of control characters": with_entry(name=bytes(range(1, 32)) * 2000),
        "a name that is no UTF-8": with_entry(name=b"\xff/../x", flags=0x800),
        "extra fields of four bytes, 64 KiB for each entry": lambda: raw_zip(
            Entry(name=b"%d" % n, extra=b"\x99\x99\0\0" * 16_383) for n in range(100)
        ),
        "a rockspec of 30 MiB": lambda: raw_zip([Entry(name=SPEC_NAME.encode(), content=b"\n" * (30 * 1024**2))]),
    }.items()
    for method in (1, 6, 9, 12, 14, 93, 95, 98, 0xFFFF):
        yield f"compression method {method}", with_entry(method=method)
    for title, text in {
        "80 KB of newlines": b"\n" * 80_000,
        "60 KB of newlines": b"\n" * 60_000,
        "60 KB of spaces": b" " * 60_000,
        "60 KB of spaces in an assignment": b"version" + b" " * 60_000,
        "a text without an end": b'version = "' + b"x" * 60_000,
        "many texts without an end": b'version = "x\n' * 4_000,
        "60 KB of carriage returns": b"\r" * 60_000,
        "a version of 60 KB of digits": b'version = "' + b"9" * 60_000 + b'"',
        "a package of 60 KB of control characters": b'package = "' + b"\x1b" * 60_000 + b'"',
        "no UTF-8": bytes(range(128, 256)) * 100,
        "UTF-16": rockspec().decode().encode("utf-16"),
    }.items():
        yield f"rockspec: {title}", partial(archives.rock, spec=text)
