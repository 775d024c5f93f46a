"""The filters by which the workflows find what they wrote themselves, with jq in the place of the one inside gh."""

import json
import shutil
from typing import Any

import pytest

from tests.scripts.workflows import DEPLOY, DRIFT, PULL_REQUEST, Runner

pytestmark = pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")

GH = """#!/bin/sh
case "$*" in
  *--jq\\ .head.sha) echo abc ;;
  *--jq*)
    while [ "$1" != --jq ]; do shift; done
    jq --raw-output "$2" "$SEEN/entries.json"
    ;;
  *) echo "$@" >> "$SEEN/gh" ;;
esac
"""

BOT, PERSON = {"login": "github-actions[bot]"}, {"login": "somebody"}


def entry(number: int, user: dict[str, str], body: str | None) -> dict[str, Any]:
    return {"id": number, "number": number, "user": user, "body": body}


@pytest.fixture
def github(runner: Runner) -> Runner:
    runner.stand_in("gh", GH)
    return runner


def entries(kind: str) -> list[dict[str, Any]]:
    """Only the last two are the workflow's own for this stack."""
    marker = f"<!-- traceable-kong {kind}: dev -->"
    return [
        entry(1, PERSON, f"{marker}\ntext"),
        entry(2, BOT, f"before {marker}\n"),
        entry(3, BOT, f"<!-- traceable-kong {kind}: dev2 -->\n"),
        entry(4, BOT, None),
        entry(5, BOT, f"{marker}\ntext"),
        entry(6, BOT, f"{marker}\ntext"),
    ]


def test_the_comment_of_the_workflow_is_found(github: Runner) -> None:
    github.write("entries.json", json.dumps([e for e in entries("preview") if e["body"]]))
    done = github.step(PULL_REQUEST, "Create or edit the comment", NUMBER="7", HEAD="abc")
    assert done.returncode == 0, done.stderr
    assert "--method PATCH repos/us/it/issues/comments/5 " in github.read("gh")


def test_the_issue_of_the_workflow_is_found(github: Runner) -> None:
    github.write("entries.json", json.dumps(entries("drift")))
    done = github.step(DRIFT, "Open, update or close the issue", STATE="drift", RUN="URL")
    assert done.returncode == 0, done.stderr
    assert "--method PATCH repos/us/it/issues/5 " in github.read("gh")


@pytest.mark.parametrize(("number", "code"), [(7, 0), (8, 1)])
def test_the_newest_run_is_the_first_of_the_list(github: Runner, number: int, code: int) -> None:
    github.write("entries.json", json.dumps({"workflow_runs": [{"run_number": number}, {"run_number": 5}]}))
    done = github.step(DEPLOY, "Stop if there is a newer run", GITHUB_RUN_NUMBER="7")
    assert done.returncode == code, done.stderr
