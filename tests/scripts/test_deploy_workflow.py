"""Deployments: the order, the approval, what never happens to a running update, and the verification after it."""

from typing import Any

import pytest

from tests.scripts.workflows import DEPLOY, Runner, definition

JOBS: dict[str, Any] = definition(DEPLOY)["jobs"]
DEPLOYMENT = JOBS["deploy"]

GH = """#!/bin/sh
echo "$@" > "$SEEN/gh"
echo "$NEWEST"
"""

PYTHON = """#!/bin/sh
echo "$@" > "$SEEN/python"
echo "### report"
exit "$ENDS_WITH"
"""


def test_only_main_is_deployed() -> None:
    assert definition(DEPLOY)[True] == {"push": {"branches": ["main"]}, "workflow_dispatch": None}
    assert "github.ref == 'refs/heads/main'" in JOBS["preview"]["if"]


def test_reviewers_see_the_previews_before_they_approve() -> None:
    """The preview has an environment without reviewers; the one of the deployment has them."""
    assert JOBS["preview"]["environment"] == "preview-${{ matrix.stack }}"
    assert DEPLOYMENT["needs"] == "preview" and DEPLOYMENT["environment"] == "${{ matrix.stack }}"
    assert "if" not in DEPLOYMENT, "a condition could let it run after a preview that failed"
    last = JOBS["preview"]["steps"][-2]
    assert last["if"] == "steps.preview.outputs.code != '0'" and last["run"].rstrip().endswith("exit 1")


def test_stacks_are_deployed_one_after_the_other_up_to_the_first_failure() -> None:
    strategy = DEPLOYMENT["strategy"]
    assert (strategy["max-parallel"], strategy["fail-fast"]) == (1, True)
    assert strategy["matrix"] == JOBS["preview"]["strategy"]["matrix"]


def test_a_running_update_is_never_canceled() -> None:
    assert DEPLOYMENT["concurrency"] == {"group": "deploy-${{ matrix.stack }}", "cancel-in-progress": False}


def test_the_update_comes_after_the_check_for_a_newer_run() -> None:
    steps = [step.get("name") or step["uses"].split("@")[0] for step in DEPLOYMENT["steps"]]
    assert steps == [
        "actions/checkout",
        "Stop if there is a newer run",
        "./.github/actions/setup",
        "pulumi/actions",
        "Verify",
    ]
    update, verification = DEPLOYMENT["steps"][-2:]
    assert update["with"]["command"] == "up" and update["with"]["comment-on-summary"] is True
    policies = ("${{ vars.POLICY_PACK }}", "${{ vars.POLICY_PACK_CONFIG }}")
    assert (update["with"]["policyPacks"], update["with"]["policyPackConfigs"]) == policies
    assert verification["if"] == "${{ !cancelled() && steps.up.outcome != 'skipped' }}"


@pytest.mark.parametrize(("newest", "code"), [("7", 0), ("8", 1), ("10", 1)])
def test_an_older_run_deploys_nothing(runner: Runner, newest: str, code: int) -> None:
    runner.stand_in("gh", GH)
    done = runner.step(DEPLOY, "Stop if there is a newer run", NEWEST=newest, GITHUB_RUN_NUMBER="7")
    assert done.returncode == code, done.stderr
    assert ("Approve run" in done.stdout) == (code == 1)
    assert "repos/us/it/actions/workflows/deploy.yaml/runs?branch=main&per_page=1" in runner.read("gh")


@pytest.mark.parametrize(
    ("verified", "code", "warned"), [("0", 0, False), ("1", 1, False), ("2", 0, True), ("139", 139, False)]
)
def test_the_verification_decides_about_the_job(runner: Runner, verified: str, code: int, warned: bool) -> None:
    runner.stand_in(".venv/bin/python", PYTHON)
    done = runner.step(DEPLOY, "Verify", ENDS_WITH=verified)
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith("::warning::Something of stack dev could not be observed") == warned
    assert runner.read("summary") == "### report\n"
    assert runner.read("python") == "-m scripts.stack_verification --stack dev\n"
