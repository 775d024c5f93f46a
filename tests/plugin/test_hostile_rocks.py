"""Every hostile archive ends in one clear message, within limits of time and memory.

The figures in docs/development/testing.md: `.venv/bin/python -m tests.plugin.test_hostile_rocks`.
"""

import sys
import warnings
from collections.abc import Iterable

import pytest

from tests.fakes.limited import Outcome, is_clear, run_limited, summary
from tests.plugin.hostile_mutations import mutations
from tests.plugin.hostile_tars import plugin_attacks, tar_attacks
from tests.plugin.hostile_zips import Make, zip_attacks
from traceable_kong.plugin import rock
from traceable_kong.plugin.archive_entry import RockError

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


def main() -> None:
    for kind, cases in KINDS.items():
        outcomes = tried(cases())
        print(f"{kind}: {summary(outcomes.values())}")
        for name, outcome in outcomes.items():
            if not is_good(outcome, may_be_accepted=kind == "mutation"):
                print(f"  {name}: {outcome.kind}, {outcome.seconds:.1f} s, {outcome.text[:100]}")


if __name__ == "__main__":
    main()
