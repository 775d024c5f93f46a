"""Reads a compressed tar archive that is not trusted: regular files and directories, with long names.

The formats are ustar and PAX (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html) and GNU's long names
(https://www.gnu.org/software/tar/manual/html_node/Standard.html). What another program would read differently, or
what follows damage, is refused and never skipped.
"""

import re
import zlib

from traceable_kong.plugin.archive_entry import (
    MAX_ENTRIES,
    MAX_UNPACKED_BYTES,
    RockError,
    check_unpacked,
    checked_path,
    shown,
)

MAX_EXTENSION_BYTES = 64 * 1024
"""The size limit of a header that extends the next one. Names need less, but some programs store file attributes."""

MAX_RECORDS = 100
"""Of such a header: the attributes of one entry."""

_BLOCK = 512
_FILE, _DIRECTORY, _EXTENDED, _GLOBAL, _LONG_NAME = b"0", b"5", b"x", b"g", b"L"
_CHECKSUM = slice(148, 156)


def untar(compressed: bytes, archive_name: str) -> dict[str, bytes]:
    """The files of a `.tar.gz` as `{path: content}`. Raises RockError, whose text has the archive's name."""
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(compressed, MAX_UNPACKED_BYTES + 1)
        check_unpacked(len(plain))
        if not inflater.eof:
            raise ValueError("it is incomplete")
        if inflater.unused_data.strip(b"\0"):
            raise ValueError("it has data after its end")
        return _files(plain, archive_name)
    except zlib.error:
        raise _unreadable(archive_name, "it is no gzip file, or damaged") from None
    except ValueError as problem:
        raise _unreadable(archive_name, str(problem)) from None


def _files(plain: bytes, archive_name: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    seen: set[str] = set()
    position = headers = 0
    long_name: bytes | None = None
    while (header := plain[position : position + _BLOCK]).strip(b"\0"):
        headers += 1
        # Each entry can have an extension.
        if headers > 2 * MAX_ENTRIES:
            raise ValueError("it has too many headers")
        name, kind, size = _read_header(header, position)
        content = plain[position + _BLOCK : position + _BLOCK + size]
        if len(content) < size:
            raise ValueError("it is incomplete")
        position += _BLOCK + -(-size // _BLOCK) * _BLOCK
        if kind in (_EXTENDED, _GLOBAL, _LONG_NAME):
            if long_name is not None:
                raise ValueError("it has several names for one entry")
            long_name = _extension(kind, content)
            continue
        name, long_name = name if long_name is None else long_name, None
        text = name.decode("utf-8", errors="backslashreplace")
        if kind not in (_FILE, _DIRECTORY):
            raise RockError(f"{archive_name} has a link or a device instead of a file: {shown(text)}.")
        path = checked_path(text, seen)
        if kind == _FILE:
            files[path] = content
        elif size:
            raise ValueError(f"the directory {shown(text)} has a size")
    if len(header) < _BLOCK or long_name is not None:
        raise ValueError("it is incomplete")
    if plain[position:].strip(b"\0"):
        raise ValueError("it has entries after its end")
    return files


def _read_header(header: bytes, position: int) -> tuple[bytes, bytes, int]:
    """The name, the kind and the size of an entry. Raises ValueError."""
    # The checksum counts its own field as spaces.
    if _octal(header[_CHECKSUM]) != sum(header) - sum(header[_CHECKSUM]) + 8 * ord(" "):
        raise ValueError(f"the header at byte {position} is damaged")
    name, kind = header[:100].split(b"\0")[0], header[156:157]
    if prefix := header[345:500].split(b"\0")[0]:
        # In other formats, some programs read the beginning of the name here, and some do not.
        if header[257:263] != b"ustar\0":
            raise ValueError(f"the header at byte {position} has an unsupported format")
        name = prefix + b"/" + name
    if kind == b"\0":
        # Before ustar, a directory was a name with a slash at its end.
        kind = _DIRECTORY if name.endswith(b"/") else _FILE
    return name, kind, _octal(header[124:136])


def _octal(digits: bytes) -> int:
    """A number of a header. Raises ValueError, also for the other notation, which is for more than 8 GiB."""
    # A NUL ends a number, so other programs read none after it.
    text = digits.lstrip(b" ").rstrip(b" \0")
    if not re.fullmatch(rb"[0-7]{1,12}", text):
        raise ValueError("a number in a header is damaged or too large")
    return int(text, 8)


def _extension(kind: bytes, content: bytes) -> bytes | None:
    """The name that an extension gives to the next entry, or None. Raises ValueError."""
    if len(content) > MAX_EXTENSION_BYTES:
        raise ValueError(f"a header has more than {MAX_EXTENSION_BYTES} bytes")
    if kind == _LONG_NAME:
        return content.split(b"\0")[0]
    records = _records(content)
    # A sparse file can need any amount of memory; the size of a larger file, or of every file, can be given here.
    unsupported = [key for key in records if key == b"size" or key.startswith(b"GNU.sparse.")]
    if unsupported or (kind == _GLOBAL and b"path" in records):
        raise ValueError("it has a sparse file, or an unsupported header")
    return records.get(b"path")


def _records(content: bytes) -> dict[bytes, bytes]:
    """The records `LENGTH KEY=VALUE` of a PAX header, where the length includes itself. Raises ValueError."""
    records: dict[bytes, bytes] = {}
    position = count = 0
    while position < len(content):
        digits, _, _ = content[position : position + 8].partition(b" ")
        length = int(digits) if re.fullmatch(rb"[0-9]{1,6}", digits) else 0
        record = content[position : position + length]
        key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if len(record) != length or not record.endswith(b"\n") or not equals:
            raise ValueError("a header is damaged")
        records[key] = value
        position += length
        count += 1
        if count > MAX_RECORDS:
            raise ValueError(f"a header has more than {MAX_RECORDS} records")
    return records


def _unreadable(archive_name: str, reason: str) -> RockError:
    return RockError(f"The source archive {shown(archive_name)} in the rock cannot be read: {reason}.")
