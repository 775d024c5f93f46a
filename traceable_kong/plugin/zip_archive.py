"""Reads a zip archive that is not trusted: regular files, stored or deflated, without Zip64.

The format is that of PKWARE's APPNOTE.TXT, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. Everything that
a rock does not need is refused, so that every loop and every buffer is bounded by the size of the archive.
"""

import stat
import struct
import zlib

from traceable_kong.plugin.archive_entry import RockError, check_unpacked, checked_path, shown

SIGNATURE = b"PK\x03\x04"
"""How a zip archive with at least one entry begins."""

_END = struct.Struct("<4s4H2LH")
_DIRECTORY_ENTRY = struct.Struct("<4s6H3L5H2L")
_FILE_HEADER = struct.Struct("<4s5H3L2H")
_MAX_COMMENT = 0xFFFF
_ENCRYPTED, _UTF8 = 0x1, 0x800
_STORED, _DEFLATED = 0, 8


def unzip(archive: bytes) -> dict[str, bytes]:
    """The files of an archive as `{path: content}`. Raises RockError."""
    try:
        return _files(archive)
    except (struct.error, zlib.error):
        raise _unreadable("it is incomplete or damaged") from None


def _files(archive: bytes) -> dict[str, bytes]:
    entries, position, end = _directory(archive)
    files: dict[str, bytes] = {}
    seen: set[str] = set()
    packed = unpacked = 0
    for _ in range(entries):
        entry = _DIRECTORY_ENTRY.unpack_from(archive, position)
        signature, _, _, flags, method, _, _, checksum, packed_size, size, *lengths, _, _, attributes, start = entry
        if signature != b"PK\x01\x02":
            raise _unreadable("its directory is damaged")
        position += _DIRECTORY_ENTRY.size
        raw_name = archive[position : position + lengths[0]]
        position += sum(lengths)
        name = raw_name.decode("utf-8" if flags & _UTF8 else "cp437", errors="backslashreplace")
        # The zip format has no other field for the type; tools that know no modes write 0.
        if stat.S_IFMT(attributes >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise RockError(f"The rock's entry {shown(name)} is a link or a device, not a file.")
        path = checked_path(name, seen)
        if name.endswith("/"):
            continue
        if flags & _ENCRYPTED:
            raise RockError(f"The rock's entry {shown(name)} is encrypted.")
        packed, unpacked = packed + packed_size, unpacked + size
        check_unpacked(unpacked)
        # Entries that share their bytes make a small archive take any amount of time.
        if packed > len(archive):
            raise _unreadable("its entries overlap")
        files[path] = content = _content(_packed(archive, start, raw_name, packed_size), method, size, name)
        if len(content) != size or zlib.crc32(content) != checksum:
            raise _unreadable(f"the entry {shown(name)} is damaged")
    # Some programs read the directory until its end, without counting.
    if position != end:
        raise _unreadable("its directory is damaged")
    return files


def _directory(archive: bytes) -> tuple[int, int, int]:
    """The number of entries, and where the directory begins and ends."""
    end = archive.rfind(b"PK\x05\x06", max(0, len(archive) - _END.size - _MAX_COMMENT))
    _, disk, first_disk, here, entries, size, start, comment = _END.unpack_from(archive, end)
    if disk or first_disk or here != entries or start + size != end or end + _END.size + comment != len(archive):
        raise _unreadable("its directory is damaged")
    return entries, start, end


def _packed(archive: bytes, start: int, raw_name: bytes, size: int) -> bytes:
    """The bytes of an entry, whose header has the same name as the directory."""
    signature, *_, name_length, extra_length = _FILE_HEADER.unpack_from(archive, start)
    begin = start + _FILE_HEADER.size
    if signature != SIGNATURE or archive[begin : begin + name_length] != raw_name:
        raise _unreadable("its directory does not match its entries")
    begin += name_length + extra_length
    return archive[begin : begin + size]


def _content(packed: bytes, method: int, size: int, name: str) -> bytes:
    if method == _STORED:
        return packed
    if method != _DEFLATED:
        raise RockError(f"The rock's entry {shown(name)} has an unsupported compression method.")
    # One byte more than announced shows that the size is wrong.
    return zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(packed, size + 1)


def _unreadable(reason: str) -> RockError:
    return RockError(f"The file is not a readable zip archive: {reason}.")
