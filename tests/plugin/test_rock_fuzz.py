"""Properties over archives: what is good comes out as it went in, and whatever else is refused in words.

The number of examples: TRACEABLE_KONG_FUZZ_EXAMPLES, 200 where it is not set.
"""

import gzip
import os
import warnings

from hypothesis import given, reject, settings, strategies

from tests.plugin import archives
from tests.plugin.archives import FILES, TOP, VERSION, in_plugin, tar
from traceable_kong.plugin import rock
from traceable_kong.plugin.archive_entry import RockError

EXAMPLES = int(os.environ.get("TRACEABLE_KONG_FUZZ_EXAMPLES", "200"))
fuzz = settings(max_examples=EXAMPLES)

PART = strategies.from_regex(r"[a-zA-Z0-9_][-._a-zA-Z0-9]{0,8}", fullmatch=True)
PATHS = strategies.lists(PART, min_size=1, max_size=3).map("/".join)
GOOD_FILES = strategies.dictionaries(PATHS, strategies.binary(max_size=64), max_size=6).filter(
    lambda files: not any(other.startswith(f"{path}/") for path in [*files, *FILES] for other in [*files, *FILES])
)
ODD_NAMES = strategies.one_of(
    strategies.text(max_size=20),
    strategies.lists(strategies.sampled_from(["..", ".", "", "a", "kong", "plugins", "\\", "c:", TOP]), max_size=6).map(
        "/".join
    ),
)


def read_or_refuse(archive: bytes) -> rock.Rock | None:
    """Nothing but a rock or a RockError in words."""
    try:
        found = rock.read(archive, version=VERSION)
    except RockError as problem:
        assert str(problem).endswith((".", "`.", "rock.")), str(problem)
        return None
    for files in found.plugins.values():
        assert set(rock.REQUIRED_FILES) <= set(files)
        for path in files:
            assert not path.startswith("/") and ".." not in path.split("/") and "\\" not in path
    return found


@fuzz
@given(files=GOOD_FILES, unpacked=strategies.booleans())
def test_a_valid_rock_is_read_unchanged(files: dict[str, bytes], unpacked: bool) -> None:
    whole = {**files, **FILES}
    entries = in_plugin(whole)
    archive = archives.unpacked(entries) if unpacked else archives.rock(entries)
    assert rock.read(archive, version=VERSION).plugins == {"traceable": whole}


@fuzz
@given(archive=strategies.binary(max_size=2000))
def test_any_bytes(archive: bytes) -> None:
    assert read_or_refuse(archive) is None


@fuzz
@given(names=strategies.lists(ODD_NAMES, max_size=4), inside=strategies.booleans())
def test_any_names(names: list[str], inside: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            if inside:
                archive = archives.rock({**in_plugin(FILES), **dict.fromkeys(names, b"x")})
            else:
                archive = archives.rock(more=[(name, b"x") for name in names])
        except (UnicodeEncodeError, IndexError):
            reject()  # zipfile and tarfile write no such name.
    read_or_refuse(archive)


CHANGES = strategies.lists(strategies.tuples(strategies.floats(0, 0.999), strategies.integers(0, 255)), max_size=8)


def changed(archive: bytes, changes: list[tuple[float, int]]) -> bytes:
    result = bytearray(archive)
    for place, byte in changes:
        result[int(place * len(result))] = byte
    return bytes(result)


@fuzz
@given(changes=CHANGES, kept=strategies.floats(0, 1))
def test_a_damaged_zip(changes: list[tuple[float, int]], kept: float) -> None:
    archive = changed(archives.rock(), changes)
    read_or_refuse(archive[: int(kept * len(archive)) + 1])


@fuzz
@given(changes=CHANGES, kept=strategies.floats(0, 1))
def test_a_damaged_gzip(changes: list[tuple[float, int]], kept: float) -> None:
    source = changed(gzip.compress(tar(in_plugin(FILES)), mtime=0), changes)
    read_or_refuse(archives.rock(source=source[: int(kept * len(source)) + 1]))


@fuzz
@given(changes=CHANGES)
def test_a_damaged_tar(changes: list[tuple[float, int]]) -> None:
    read_or_refuse(archives.rock(source=gzip.compress(changed(tar(in_plugin(FILES)), changes), compresslevel=1)))


@fuzz
@given(spec=strategies.binary(max_size=200))
def test_any_rockspec(spec: bytes) -> None:
    read_or_refuse(archives.rock(spec=spec))
    read_or_refuse(archives.rock(spec=archives.rockspec() + spec))
