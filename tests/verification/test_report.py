"""The report as text, table and document."""

import dataclasses

import pytest

from traceable_kong.verification.report import Check, Report


def check(pod: str, name: str, *, ok: bool = True) -> Check:
    return Check(pod=pod, name=name, ok=ok, expected=f"good {name}", found=f"bad {name}", fix=f"fix {name}")


GOOD = Report(
    name="gw/edge-kong",
    checks=(check("", "ready"), *(check(pod, name) for pod in ("a", "b") for name in ("files", "tme", "plugin"))),
    notes=("mind this",),
)
BAD = Report(
    name="gw/edge-kong",
    checks=(
        check("", "ready"),
        check("", "agent", ok=False),
        check("long-name", "files"),
        check("long-name", "loaded", ok=False),
        check("long-name", "plugin"),
        check("b", "files"),
        check("b", "plugin"),
    ),
    notes=("mind this",),
    cause="not enabled",
)


def test_the_text_if_every_check_holds() -> None:
    assert GOOD.ok
    assert GOOD.text() == "gw/edge-kong: protected. 2 serving pods, every check holds.\n  note: mind this"


def test_the_text_of_failed_checks() -> None:
    assert not BAD.ok and [item.name for item in BAD.failed] == ["agent", "loaded"]
    assert BAD.text() == (
        "The gateway gw/edge-kong is not as configured, in 1 of 2 serving pods:\n"
        "\n"
        "  the gateway: agent\n"
        "    expected: good agent\n"
        "    found:    bad agent\n"
        "    fix:      fix agent\n"
        "\n"
        "  long-name: loaded\n"
        "    expected: good loaded\n"
        "    found:    bad loaded\n"
        "    fix:      fix loaded\n"
        "\n"
        "  The ingress controller reports: not enabled\n"
        "  note: mind this"
    )


def test_a_failed_check_of_the_gateway_counts_no_pods() -> None:
    report = Report(name="gw/k", checks=(check("", "deployment", ok=False),))
    assert report.text().splitlines()[0] == "The gateway gw/k is not as configured:"


def test_the_text_about_a_single_pod() -> None:
    report = Report(name="gw/k", checks=(check("a", "files", ok=False),))
    assert report.text().splitlines()[0] == "The gateway gw/k is not as configured, in its only serving pod:"


def test_a_report_without_checks_is_not_ok() -> None:
    assert not Report(name="gw/k", checks=()).ok


def test_the_table_and_the_text() -> None:
    rows = BAD.table().splitlines()
    assert rows[:4] == [
        "POD        READY  FILES  TME  PLUGIN  VERDICT",
        "b          -      ok     -    ok      NOT AS CONFIGURED",
        "long-name  -      ok     -    FAILED  NOT AS CONFIGURED",
        "",
    ]
    assert "\n".join(rows[4:]) == BAD.text()


def verdicts(report: Report) -> list[str]:
    """The verdicts of each pod and of the gateway, in table, text and JSON."""
    rows = [row for row in report.table().splitlines() if row.startswith(("a ", "b "))]
    found = [row.split("  ")[-1].strip() for row in rows]
    document = report.document()
    assert [*document["pods"].values(), document["verdict"]] == [*found, report.verdict]
    assert not report.ok or report.text().startswith(f"gw/edge-kong: {report.verdict}. ")
    return [*found, report.verdict]


def test_a_failed_check_of_one_pod_changes_its_verdict_only() -> None:
    failed = dataclasses.replace(GOOD, checks=(*GOOD.checks, check("a", "override", ok=False)))
    assert verdicts(failed) == ["NOT AS CONFIGURED", "protected", "NOT AS CONFIGURED"]


def test_a_failed_check_of_the_gateway_changes_every_verdict() -> None:
    failed = dataclasses.replace(GOOD, checks=(*GOOD.checks, check("", "agent", ok=False)))
    assert verdicts(failed) == ["NOT AS CONFIGURED"] * 3


@pytest.mark.parametrize("state", ["disabled", "no route selected", "removed"])
def test_the_verdict_if_every_check_holds(state: str) -> None:
    assert verdicts(dataclasses.replace(GOOD, state=state)) == [state] * 3


def test_a_pod_with_a_verdict_of_its_own() -> None:
    report = dataclasses.replace(GOOD, state="no route selected", states={"a": "protected"})
    assert verdicts(report) == ["protected", "no route selected", "no route selected"]


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("protected", "not checked"),
        ("removed", "not checked"),
        ("disabled", "disabled"),
        ("no route selected", "no route selected"),
    ],
)
def test_what_could_not_be_observed_changes_the_verdict(state: str, verdict: str) -> None:
    report = dataclasses.replace(GOOD, state=state, not_checked=("policies is forbidden",))
    assert report.ok
    assert verdicts(report) == [verdict] * 3
    assert "every check that could be made holds.\n  not checked: policies is forbidden\n" in report.text()
    assert report.document()["not_checked"] == ["policies is forbidden"]


def test_a_failed_check_outweighs_what_was_not_checked() -> None:
    report = dataclasses.replace(BAD, not_checked=("policies is forbidden",))
    assert report.verdict == "NOT AS CONFIGURED" and "  not checked: policies is forbidden" in report.text()


def test_the_report_as_json() -> None:
    document = BAD.document()
    assert (document["gateway"], document["cause"]) == ("gw/edge-kong", "not enabled")
    assert document["notes"] == ["mind this"]
    assert document["checks"][1] == {
        "pod": "",
        "name": "agent",
        "ok": False,
        "expected": "good agent",
        "found": "bad agent",
        "fix": "fix agent",
        "permanent": False,
    }


def test_the_verdict_is_of_one_workspace() -> None:
    """Kong Enterprise may have other workspaces, whose routes the plugin does not protect."""
    text = dataclasses.replace(GOOD, workspace="team")
    assert text.text().startswith("gw/edge-kong: protected in workspace team. 2 serving pods")
    assert text.document()["workspace"] == "team"
