"""Every hostile archive ends in one clear message, within limits of time and memory.

The figures in docs/development/testing.md: `.venv/bin/python -m tests.plugin.test_hostile_rocks`.
"""

import io
import random
import sys
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterable

import pytest

from tests.fakes.limited import Outcome, is_clear, run_limited, summary
from tests.plugin.hostile_mutations import in_tar, in_tar_fields, in_zip, in_zip_fields, mutations
from tests.plugin.hostile_tars import plugin_attacks, tar_attacks
from tests.plugin.hostile_zips import Make, zip_attacks
from traceable_kong.plugin import rock
from traceable_kong.plugin.archive_entry import RockError
from traceable_kong.plugin.tar_archive import untar
from traceable_kong.plugin.zip_archive import unzip

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")

KINDS = {"zip": zip_attacks, "tar": tar_attacks, "plugin": plugin_attacks, "mutation": mutations}


def tried(cases: Iterable[tuple[str, Make]]) -> dict[str, Outcome]:
    outcomes = {}
    for name, make in cases:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            archive = make()
        outcomes[name] = run_limited(lambda archive=archive: rock.read(archive), RockError)  # type: ignore[misc]
    return outcomes


def is_good(outcome: Outcome, *, may_be_accepted: bool) -> bool:
    if outcome.kind == "accepted":
        return may_be_accepted
    return outcome.kind == "refused" and is_clear(outcome.text)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_archive_is_refused_clearly(kind: str) -> None:
    outcomes = tried(KINDS[kind]())
    print(summary(outcomes.values()))
    wrong = [
        f"{name}: {outcome}"
        for name, outcome in outcomes.items()
        if not is_good(outcome, may_be_accepted=kind == "mutation")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("make", [in_zip, in_tar, in_zip_fields, in_tar_fields])
def test_what_is_accepted_is_what_other_programs_read(make: Callable[[random.Random], bytes]) -> None:
    compared = 0
    for seed in range(300):
        try:
            entries = unzip(archive := make(random.Random(seed)))
            sources = {name: untar(content, name) for name, content in entries.items() if name.endswith(".tar.gz")}
        except RockError:
            continue
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            assert entries == {
                plain(item.filename): opened.read(item) for item in opened.infolist() if not item.is_dir()
            }
        for name, files in sources.items():
            with tarfile.open(fileobj=io.BytesIO(entries[name]), errors="backslashreplace") as source:
                members = {plain(item.name): source.extractfile(item) for item in source if item.isreg()}
                assert files == {path: file.read() for path, file in members.items() if file}, seed
        compared += 1
    assert compared


def plain(name: str) -> str:
    return "/".join(part for part in name.rstrip("/").split("/") if part != ".")


def main() -> None:
    for kind, cases in KINDS.items():
        outcomes = tried(cases())
        print(f"{kind}: {summary(outcomes.values())}")
        for name, outcome in outcomes.items():
            if not is_good(outcome, may_be_accepted=kind == "mutation"):
                print(f"  {name}: {outcome.kind}, {outcome.seconds:.1f} s, {outcome.text[:100]}")


if __name__ == "__main__":
    main()
