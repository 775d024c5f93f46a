"""Stack files that are accepted, and such that are refused by one rule each.

A refused file names in its header the rule, the key, and parts of what is said and of what mends it.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

import settings
from tests.settings.stack_file import parse_file

CASES = Path(__file__).parent / "cases"
ACCEPTED = sorted((CASES / "accepted").glob("*.yaml"))
REFUSED = sorted((CASES / "refused").glob("*.yaml"))
SECRET = "planted-credential"


def header(path: Path) -> dict[str, str]:
    lines = [line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
    return dict(line.split(": ", 1) for line in lines)


def not_yet(path: Path) -> Mapping[str, object]:
    return settings.NOT_YET if header(path)["rule"] == "not_yet" else {}


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_accepted(path: Path) -> None:
    found = parse_file(path)
    assert found.tme_guard is not None
    assert SECRET not in repr(found)


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_refused(path: Path) -> None:
    expected = header(path)
    with pytest.raises(settings.SettingsError) as error:
        parse_file(path, not_yet=not_yet(path))
    (problem,) = error.value.problems
    assert (problem.rule, problem.key) == (expected["rule"], expected["key"])
    assert expected["says"] in problem.wrong
    assert expected["mends"] in problem.mend
    message = str(error.value)
    assert problem.key in message and problem.wrong in message and problem.mend in message
    assert SECRET not in message


@pytest.mark.parametrize("rule", settings.ALL_RULES)
def test_taking_a_rule_away_lets_exactly_its_files_pass(rule: str) -> None:
    passing = set()
    for path in REFUSED:
        try:
            parse_file(path, not_yet=not_yet(path), without_rules={rule})
        except settings.SettingsError:
            continue
        passing.add(path.stem)
    assert passing == {path.stem for path in REFUSED if header(path)["rule"] == rule}
    assert passing, "every rule has a file"


def test_all_problems_come_at_once_in_one_message() -> None:
    with pytest.raises(settings.SettingsError) as error:
        settings.parse({"mode": "asynk", "blockingStatusCode": "200", "enabled": "yes", "kong": '{"relaese": "a"}'})
    message = str(error.value)
    assert "6 problems" in message
    for key in ("mode", "blockingStatusCode", "enabled", "kong.relaese", "agentToken", "plugin.sha256"):
        assert f"  traceable-kong:{key}\n" in message
