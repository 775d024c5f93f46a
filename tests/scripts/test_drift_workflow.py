"""The nightly comparison: one issue per stack, which only a run that could look closes."""

from typing import Any

import pytest

from scripts.drift_report import marker
from tests.scripts.workflows import DRIFT, PULUMI, Runner, definition

JOB: dict[str, Any] = definition(DRIFT)["jobs"]["drift"]
ISSUE = "Open, update or close the issue"
LIST = "repos/us/it/issues?state=open&labels=drift&per_page=100"

GH = """#!/bin/sh
case "$*" in
  *--jq*) echo "$MARKER" > "$SEEN/marker"; echo "$3" > "$SEEN/asked"; printf '%s' "$FOUND" ;;
  *) echo "$@" | sed "s#$RUNNER_TEMP#TEMP#" >> "$SEEN/gh" ;;
esac
"""

PYTHON = """#!/bin/sh
echo "### report"
exit "$VERIFIES_WITH"
"""

OPENED = [
    "label create drift --force --repo us/it --color D93F0B --description A stack differs from its cluster",
    "api --silent --method POST repos/us/it/issues --raw-field title=Stack dev has drifted --raw-field labels[]=drift "
    "--field body=@TEMP/report.md",
]
UPDATED = ["api --silent --method PATCH repos/us/it/issues/4 --field body=@TEMP/report.md"]
CLOSED = [
    "api --silent --method POST repos/us/it/issues/4/comments "
    "--raw-field body=The drift is gone: [this run](URL) found none.",
    "api --silent --method PATCH repos/us/it/issues/4 --raw-field state=closed",
]
NOT_SEEN = [
    "api --silent --method POST repos/us/it/issues/4/comments "
    "--raw-field body=[This run](URL) could not determine whether the drift is gone.",
]


@pytest.mark.parametrize(
    ("state", "found", "asked"),
    [
        ("drift", "", OPENED),
        ("drift", "4\n9\n", UPDATED),
        ("none", "", []),
        ("none", "4\n", CLOSED),
        ("unknown", "", []),
        ("unknown", "4\n", NOT_SEEN),
    ],
)
def test_there_is_one_issue_while_the_stack_has_drifted(
    runner: Runner, state: str, found: str, asked: list[str]
) -> None:
    runner.stand_in("gh", GH)
    runner.write("gh", "")
    done = runner.step(DRIFT, ISSUE, STATE=state, FOUND=found, RUN="URL")
    assert done.returncode == 0, done.stderr
    assert runner.read("gh").splitlines() == asked
    assert runner.read("asked") == f"{LIST}\n"
    assert runner.read("marker") == f"{marker('dev')}\n"


def test_without_a_state_no_issue_changes(runner: Runner) -> None:
    runner.stand_in("gh", GH)
    assert runner.step(DRIFT, ISSUE, STATE="", FOUND="4\n", RUN="URL").returncode == 1
    assert not (runner.folder / "gh").exists()


def test_issues_that_cannot_be_listed_fail_the_job(runner: Runner) -> None:
    runner.stand_in("gh", '#!/bin/sh\necho "$@" >> "$SEEN/gh"\nexit 1\n')
    assert runner.step(DRIFT, ISSUE, STATE="drift", RUN="URL").returncode != 0
    assert len(runner.read("gh").splitlines()) == 1


@pytest.mark.parametrize(("preview", "verify"), [("0", "0"), ("7", "1"), ("1", "2")])
def test_both_are_run_whatever_they_find(runner: Runner, preview: str, verify: str) -> None:
    runner.stand_in("pulumi", PULUMI)
    runner.stand_in(".venv/bin/python", PYTHON)
    runner.write("recorded.json", "{}")
    done = runner.step(DRIFT, "Preview and verify", ENDS_WITH=preview, VERIFIES_WITH=verify)
    assert done.returncode == 0, done.stderr
    assert (
        runner.read("pulumi")
        == "preview --refresh --expect-no-changes --stack dev --non-interactive --json --show-sames\n"
    )
    assert runner.read("output") == f"preview={preview}\nverify={verify}\n"
    assert runner.read("verification.md") == "### report\n"


def test_the_report_goes_to_the_summary_and_its_state_to_the_next_steps(runner: Runner) -> None:
    for name in ("preview.json", "preview.err", "verification.md"):
        runner.write(name, "")
    done = runner.step(DRIFT, "Write the report", PREVIEW="1", VERIFY="2", RUN="URL")
    assert done.returncode == 0, done.stderr
    assert runner.read("output") == "state=unknown\n"
    assert "could not be determined" in runner.read("summary") == runner.read("report.md")


@pytest.mark.parametrize(
    ("state", "code", "said"), [("none", 0, ""), ("drift", 0, "::warning::"), ("unknown", 1, "::error::")]
)
def test_only_a_run_that_could_not_look_fails(runner: Runner, state: str, code: int, said: str) -> None:
    done = runner.step(DRIFT, "Say what was found", STATE=state)
    assert done.returncode == code and done.stdout.startswith(said)


def test_two_runs_for_a_stack_do_not_run_at_once() -> None:
    assert JOB["concurrency"] == {"group": "drift-${{ matrix.stack }}", "cancel-in-progress": False}
    assert JOB["environment"] == "drift-${{ matrix.stack }}"
