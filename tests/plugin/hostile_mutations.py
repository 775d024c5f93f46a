"""Archives with random damage, each from a seed of its own: the same seed gives the same archive."""

import gzip
import random
from collections.abc import Iterator
from functools import partial

from tests.plugin import archives
from tests.plugin.archives import FILES, in_plugin, rockspec
from tests.plugin.hostile_tars import BLOCK, END, GOOD, PLUGIN, entry, header, record
from tests.plugin.hostile_zips import GOOD as GOOD_ENTRIES
from tests.plugin.hostile_zips import Entry, Make, raw_zip

SEEDS = 60
"""The number of archives of each kind."""

NUMBERS = (0, 1, 7, 8, 127, 128, 255, 256, 511, 512, 513, 0x7FFF, 0xFFFF)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Bytes that are changed, removed, repeated or inserted in up to eight places."""
    result = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(result) or 1)
        length = chance.choice((1, 1, 2, 4, 8, 32, 512))
        piece = result[place : place + length]
        result[place : place + length] = chance.choice(
            (
                bytes(chance.randrange(256) for _ in piece),
                b"",
                piece * chance.choice((2, 16, 300)),
                chance.choice((b"\0", b"\xff", b"7", b"9", b" ", b"/", b".", b"\n")) * length,
                chance.choice(NUMBERS).to_bytes(4, "little"),
            )
        )
    return bytes(result)


def in_zip(chance: random.Random) -> bytes:
    return damaged(archives.rock() if chance.random() < 0.5 else raw_zip(GOOD_ENTRIES), chance)


def in_gzip(chance: random.Random) -> bytes:
    return archives.rock(source=damaged(gzip.compress(GOOD + END, mtime=0), chance))


def in_tar(chance: random.Random) -> bytes:
    return archives.rock(source=gzip.compress(damaged(GOOD + END, chance), compresslevel=1))


def in_rockspec(chance: random.Random) -> bytes:
    return archives.rock(spec=damaged(rockspec(), chance))


def in_zip_fields(chance: random.Random) -> bytes:
    """A zip with entries whose fields have values at the limits."""
    entries = list(GOOD_ENTRIES)
    for number in range(chance.randint(1, 5)):
        fields: dict[str, int] = {
            field: chance.choice(NUMBERS)
            for field in ("flags", "method", "checksum", "packed_size", "size", "attributes", "start")
            if chance.random() < 0.2
        }
        name = damaged(b"more%d" % number, chance)[:0xFFFF]
        entries.insert(chance.randrange(len(entries)), Entry(name=name, content=b"x" * number, **fields))  # type: ignore[arg-type]
    end = {field: chance.choice(NUMBERS) for field in ("count", "disk", "start", "size") if chance.random() < 0.1}
    return raw_zip(entries, **end)  # type: ignore[arg-type]


def in_tar_fields(chance: random.Random) -> bytes:
    """A tar with headers of every kind, sound checksums, and sizes at the limits."""
    parts = [GOOD]
    for _ in range(chance.randint(1, 12)):
        name = chance.choice((b"more", b"..", b"", b"/", PLUGIN.encode() + b"/..x", b"a/" * 49, b"\xff\x1b"))
        kind = bytes([chance.choice(b"000557xgLKS12\0")])
        content = chance.choice(
            (
                b"",
                b"x" * chance.choice(NUMBERS[:11]),
                record(chance.choice((b"path", b"size", b"comment", b"GNU.sparse.map", b"")), damaged(b"more", chance)),
                damaged(record(b"path", b"more"), chance),
            )
        )
        parts.append(
            entry(name, content, kind)
            if chance.random() < 0.8
            else header(name, chance.choice(NUMBERS), kind) + b"\0" * chance.choice((0, BLOCK))
        )
    return archives.rock(source=gzip.compress(b"".join(parts) + END, compresslevel=1))


def in_names(chance: random.Random) -> bytes:
    """A rock with files of random names."""
    letters = "abz09.-_/ \\:~\n\x1b\0é\u202e"
    names = ["".join(chance.choices(letters, k=chance.choice((1, 3, 10, 300)))) for _ in range(chance.randint(1, 5))]
    files = {name: b"x" for name in names if not name.endswith("\0")}
    return archives.rock(in_plugin({**FILES, **files}))


def mutations() -> Iterator[tuple[str, Make]]:
    """`(name with the seed, archive)`. Some damage is harmless, for example that of a date."""
    for make in (in_zip, in_gzip, in_tar, in_rockspec, in_zip_fields, in_tar_fields, in_names):
        for seed in range(SEEDS):
            yield f"{make.__name__}({seed})", partial(make, random.Random(seed))
