"""The exit code of an outcome, and the commands in a report."""

import dataclasses

import pytest

from tests.command_line.reports import KONG, judged, outcome, report, smoke
from traceable_kong.command_line.verify_outcome import VerifyOutcome, with_targets
from traceable_kong.smoke.smoke_model import SmokeReport

PASSED, FAILED = judged(200), judged(502)
UNKNOWN = judged(404, '{"message": "no Route matched with those values"}', headers=KONG)


@pytest.mark.parametrize(
    ("failed", "not_checked", "requests", "code", "ok"),
    [
        ((), (), None, 0, True),
        ((), ("x",), None, 2, True),
        ((("gw-1", "tme"),), (), None, 1, False),
        ((("gw-1", "tme"),), ("x",), None, 1, False),
        ((), (), smoke(PASSED), 0, True),
        ((), (), smoke(PASSED, FAILED, UNKNOWN), 1, False),
        ((), (), smoke(PASSED, UNKNOWN), 2, True),
        ((), ("x",), smoke(FAILED), 1, False),
        ((("gw-1", "tme"),), (), smoke(UNKNOWN), 1, False),
    ],
)
def test_the_exit_code(
    failed: tuple[tuple[str, str], ...],
    not_checked: tuple[str, ...],
    requests: SmokeReport | None,
    code: int,
    ok: bool,
) -> None:
    found = dataclasses.replace(outcome(*failed, not_checked=not_checked), smoke=requests)
    assert (found.exit_code, found.is_ok) == (code, ok)


def test_without_a_report_nothing_was_observed() -> None:
    assert (VerifyOutcome(error="away").exit_code, VerifyOutcome(error="away").is_ok) == (2, False)


def test_the_commands_name_the_cluster() -> None:
    found = report(("gw-1", "tme"), not_checked=("`kubectl get pods`",))
    shown = with_targets(found, cluster=" --context prod", stack="dev")
    assert shown.failed[0].fix == "`kubectl --context prod get tme`"
    assert shown.not_checked == ("`kubectl --context prod get pods`",)


def test_the_commands_name_the_stack() -> None:
    found = report(("gw-1", "tme"), not_checked=("`pulumi up`", "No `pulumi up --refresh`."))
    assert with_targets(found, cluster="", stack=None) == found
    shown = with_targets(found, cluster="", stack="a/my dev")
    assert shown.not_checked == ("`pulumi up --stack 'a/my dev'`", "No `pulumi up --refresh --stack 'a/my dev'`.")
