"""Source archives that no rock should have, written header by header."""

import gzip
from collections.abc import Iterator
from functools import partial

from tests.plugin import archives
from tests.plugin.archives import FILES, TOP, in_plugin
from tests.plugin.hostile_zips import Make

BLOCK = 512
END = b"\0" * (2 * BLOCK)
PLUGIN = f"{TOP}/kong/plugins/traceable"


def header(
    name: bytes,
    size: int = 0,
    kind: bytes = b"0",
    *,
    size_field: bytes | None = None,
    checksum: bytes | None = None,
    magic: bytes = b"ustar\x0000",
) -> bytes:
    fields = name[:100].ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2
    fields += (b"%011o\0" % size if size_field is None else size_field) + b"00000000000\0" + b" " * 8
    fields = (fields + kind + b"\0" * 100 + magic).ljust(BLOCK, b"\0")
    return fields[:148] + (b"%06o\0 " % sum(fields) if checksum is None else checksum) + fields[156:]


def entry(name: bytes, content: bytes = b"", kind: bytes = b"0") -> bytes:
    return header(name, len(content), kind) + content + b"\0" * (-len(content) % BLOCK)


def record(key: bytes, value: bytes) -> bytes:
    """A record of a PAX header, whose length includes itself."""
    rest = b" %b=%b\n" % (key, value)
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length += 1
    return b"%d" % length + rest


GOOD = b"".join(entry(name.encode(), content) for name, content in in_plugin(FILES).items())


def packed(*parts: bytes, end: bytes = END) -> Make:
    return lambda: archives.rock(source=gzip.compress(b"".join(parts) + end, compresslevel=1))


def extended(content: bytes, kind: bytes = b"x") -> Make:
    """An archive whose last file has this PAX header."""
    return packed(GOOD, entry(b"PaxHeader", content, kind), entry(b"more", b"x"))


def tar_attacks() -> Iterator[tuple[str, Make]]:
    """`(name, archive)`: each must be refused."""
    directories = b"/".join([b"a"] * 200_000)
    yield from {
        "80 KB of digits": extended(b"1" * 80_000),
        "60 KB of digits": extended(b"1" * 60_000),
        "60 KB of digits, global": extended(b"1" * 60_000, b"g"),
        "a record of length 0": extended(b"0 a=b\n" * 10),
        "a record of a negative length": extended(b"-6 a=b\n"),
        "a record past the end": extended(b"99 a=b\n"),
        "a record without a key": extended(b"4 a\n"),
        "a record without its newline": extended(b"6 a=bc"),
        "1 MiB of short records": extended(record(b"a", b"b") * (1024**2 // 6)),
        "a header of 30 MiB": extended(record(b"comment", b"x" * (30 * 1024**2))),
        "a size": extended(record(b"size", b"1" * 5_000)),
        "a sparse file": extended(record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.realsize", b"9" * 20)),
        "a sparse map of 60 KB": extended(record(b"GNU.sparse.map", b"0,1," * 15_000)),
        "one name for all files": extended(record(b"path", b"x"), b"g"),
        "200,000 directories": extended(record(b"path", directories)),
        "30,000 directories": extended(record(b"path", directories[:60_000])),
        "200,000 directories in a plugin": extended(record(b"path", PLUGIN.encode() + b"/" + directories)),
        "30,000 directories in a plugin": extended(record(b"path", PLUGIN.encode() + b"/" + directories[:60_000])),
        "a name with a NUL": extended(record(b"path", b"a\0b")),
        "a name of control characters": extended(record(b"path", bytes(range(1, 32)) * 2000)),
        "an empty name": extended(record(b"path", b"")),
        "a name outside": extended(record(b"path", b"../../etc/passwd")),
    }.items()
    yield "350 long names", packed(GOOD, entry(b"L", b"more\0", b"L") * 350, entry(b"x"))
    yield "30,000 long names", packed(GOOD, entry(b"L", b"more\0", b"L") * 30_000, entry(b"x"))
    yield "350 PAX headers", packed(GOOD, entry(b"x", record(b"path", b"more"), b"x") * 350, entry(b"x"))
    yield "60,000 global headers", packed(GOOD, header(b"g", kind=b"g") * 60_000, entry(b"x"))
    short = entry(b"x", b"5 a=\n" * 13_000, b"x")
    yield "480 PAX headers of 13,000 records", packed(GOOD, short * 480, entry(b"x"))
    yield "a long name of 200,000 directories", packed(GOOD, entry(b"L", directories, b"L"), entry(b"x"))
    yield "a long name without a file", packed(GOOD, entry(b"L", b"more\0", b"L"))
    yield "60,000 directories", packed(*(header(b"d%d" % number, kind=b"5") for number in range(60_000)))
    yield "60,000 files", packed(*(header(b"f%d" % number) for number in range(60_000)))
    yield "a zero block in the middle", packed(GOOD, b"\0" * BLOCK, entry(b"more", b"x"))
    yield "the end in the middle", packed(GOOD, END, entry(b"more", b"x"))
    yield "a wrong checksum in the middle", packed(GOOD, header(b"a", checksum=b"0000000\0"), entry(b"more", b"x"))
    yield "a checksum that is no number", packed(GOOD, header(b"a", checksum=b"zzzzzz\0 "))
    yield "no checksum", packed(GOOD, header(b"a", checksum=b"\0" * 8))
    yield "a header of text", packed(GOOD, b"text" * 128)
    yield "a name in two parts that is not ustar", packed(GOOD, header(b"more", magic=b"\0" * 88 + b"hidden"))
    yield "no end", packed(GOOD, end=b"")
    yield "an end that is cut off", packed(GOOD, end=b"\0" * 100)
    yield "a file that is cut off", packed(GOOD, header(b"more", 10_000), end=b"x" * 100)
    yield "a directory with a size", packed(GOOD, entry(b"d", entry(b"hidden", b"x"), b"5"))
    for title, size in {
        "8 GiB": b"77777777777\0",
        "in the other notation": b"\x80" + b"\0" * 10 + b"\x01",
        "that is negative": b"\xff" * 12,
        "that is no number": b"9" * 11 + b"\0",
        "that is empty": b"\0" * 12,
        "with a sign": b"-0000000001\0",
        "with an underscore": b"0000000_001\0",
        "with a base": b"0o000000001\0",
        "after a NUL": b"\0" * 10 + b"10",
    }.items():
        yield f"a size {title}", packed(GOOD, header(b"more", size_field=size), b"x" * BLOCK)
    for kind in b"12346789ADKMNSVXZ\x80\xff":
        yield f"an entry of type {bytes([kind])!r}", packed(GOOD, header(b"more", kind=bytes([kind])))
    good = gzip.compress(GOOD + END)
    sources = {
        "two gzip members": good + good,
        "1 MiB of empty gzip members": good + gzip.compress(b"") * 50_000,
        "a gzip with text behind it": good + b"text",
        "a gzip with a wrong checksum": good[:-8] + b"\0" * 8,
        "a gzip that is cut off": good[:-1],
        "a gzip with a name that does not end": b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"x" * 1024**2,
        "a gzip with reserved flags": b"\x1f\x8b\x08\xff" + good[4:],
        "a gzip bomb": gzip.compress(b"\0" * (200 * 1024**2)),
        "a gzip bomb of headers": gzip.compress(header(b"d", kind=b"5") * 100_000),
        "nothing": b"",
    }
    for title, source in sources.items():
        yield title, partial(archives.rock, source=source)


def plugin_attacks() -> Iterator[tuple[str, Make]]:
    """Plugins that Kong or the API server would refuse: `(name, archive)`."""
    names = [
        "..x",
        "..x/a",
        "a/..x",
        "...",
        "a b",
        "ä",
        "a:b",
        "a\nb",
        "\x1b[2J",
        "a" * 254,
        "x" * 100_000,
        "a*",
        "~",
        "%",
    ]
    for name in names:
        yield f"a file {name[:20]!r}", partial(archives.rock, in_plugin({**FILES, name: b""}))
    for text in ("\x01", "\x1b", "\0", "<", "\n", '"', "\\"):
        content = text.encode() * (1024**2 - 1000)
        yield f"almost 1 MiB of {text!r}", partial(archives.rock, in_plugin({**FILES, "a.lua": content}))
    for plugin in ("key-auth", "jwt", "rate-limiting", "openid-connect", "ai-proxy", "opa", "session"):
        yield f"plugin {plugin}", partial(archives.rock, {**in_plugin(FILES), **in_plugin(FILES, plugin)})
    for plugin in ("..", "a_b", "A", "a" * 52, "-a", "a-", "ä", "\x1b"):
        yield (
            f"plugin {plugin!r}",
            partial(archives.rock, {**in_plugin(FILES), **in_plugin(FILES, plugin)}),
        )
    many = {f"{TOP}/kong/plugins/{'p' * 200}{number}/x": b"" for number in range(1000)}
    yield "1,000 other plugins", lambda: archives.rock(many)
