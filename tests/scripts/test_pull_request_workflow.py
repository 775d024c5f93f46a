"""Checks and previews of pull requests: who gets which, and the comment, with stand-ins for pulumi and gh."""

from typing import Any

import pytest

from scripts.preview_comment import marker
from tests.scripts.recorded import PREVIEWS
from tests.scripts.workflows import DEPLOY, PREVIEW, PULL_REQUEST, PULUMI, Runner, definition

JOBS: dict[str, Any] = definition(PULL_REQUEST)["jobs"]
COMMENT = "Create or edit the comment"

GH = """#!/bin/sh
case "$*" in
  *--jq\\ .head.sha) echo "$NEWEST" ;;
  *--jq*) echo "$MARKER" > "$SEEN/marker"; printf '%s' "$COMMENTS" ;;
  *) echo "$@" >> "$SEEN/gh" ;;
esac
"""


def test_a_pull_request_runs_with_its_own_permissions() -> None:
    # YAML reads `on` as true. The other event, pull_request_target, would run a fork's code with our secrets.
    assert list(definition(PULL_REQUEST)[True]) == ["pull_request"]


def test_forks_get_the_checks_but_no_preview() -> None:
    assert "if" not in JOBS["checks"] and "environment" not in JOBS["checks"]
    commands = [step["run"] for step in JOBS["checks"]["steps"] if "run" in step]
    assert commands == ["make check", "make docs", "make unit"]
    condition = JOBS["preview"]["if"]
    assert condition.startswith("github.event.pull_request.head.repo.full_name == github.repository && ")


def test_a_newer_run_cancels_an_older_one() -> None:
    concurrency = JOBS["preview"]["concurrency"]
    assert concurrency["cancel-in-progress"] is True
    assert "github.event.pull_request.number" in concurrency["group"] and "matrix.stack" in concurrency["group"]


@pytest.mark.parametrize(
    ("recorded", "code", "said"), [("nothing", "0", "nothing changes"), ("refused", "255", "is 99")]
)
def test_every_preview_becomes_a_comment(runner: Runner, recorded: str, code: str, said: str) -> None:
    runner.stand_in("pulumi", PULUMI)
    runner.write("recorded.json", (PREVIEWS / f"{recorded}.json").read_text())
    done = runner.step(PREVIEW, "Preview", ENDS_WITH=code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert runner.read("pulumi") == "preview --stack dev --non-interactive --json --show-sames\n"
    assert runner.read("output") == f"code={code}\n"

    done = runner.step(PREVIEW, "Write the comment", CODE=code)
    assert done.returncode == 0, done.stderr
    assert said in runner.read("comment.md")
    assert runner.read("summary") == runner.read("comment.md")


POLICIES = """#!/bin/sh
echo "$@" > "$SEEN/pulumi"
printf '%s' "$PRINTED"
exit "$ENDS_WITH"
"""
VIOLATED = "Previewing update (dev)\n\nPolicies:\n    - [mandatory] pinned-charts\n      ```\n\nDiagnostics:\n  more\n"


@pytest.mark.parametrize(
    ("config", "option"), [("", ""), ("policy/ours.json", " --policy-pack-config policy/ours.json")]
)
def test_the_summary_has_the_policies(runner: Runner, config: str, option: str) -> None:
    runner.stand_in("pulumi", POLICIES)
    given = {"POLICY_PACK": "policy", "POLICY_PACK_CONFIG": config}
    done = runner.step(PREVIEW, "Apply the policies", ENDS_WITH="255", PRINTED=VIOLATED, **given)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    expected = "preview --stack dev --non-interactive --color never --suppress-progress --policy-pack policy"
    assert runner.read("pulumi") == f"{expected}{option}\n"
    assert runner.read("output") == "code=255\n"
    assert runner.read("summary") == ("    \n    Policies:\n        - [mandatory] pinned-charts\n          ```\n"), (
        "and nothing of it is Markdown"
    )


def test_a_preview_that_ended_before_the_policies_is_shown_as_a_whole(runner: Runner) -> None:
    runner.stand_in("pulumi", POLICIES)
    runner.step(PREVIEW, "Apply the policies", ENDS_WITH="1", PRINTED="error: no pack\n", POLICY_PACK="policy")
    assert runner.read("summary") == "    \n    error: no pack\n"


@pytest.mark.parametrize("path", [PULL_REQUEST, DEPLOY])
def test_a_violated_policy_fails_the_job_of_the_preview(path: str) -> None:
    (preview,) = [step for step in definition(path)["jobs"]["preview"]["steps"] if step.get("id") == "preview"]
    assert preview["with"]["policy-pack"] == "${{ vars.POLICY_PACK }}"
    (last,) = [step for step in definition(path)["jobs"]["preview"]["steps"] if "policy" in step.get("name", "")]
    code = "steps.preview.outputs.policies"
    assert last["if"] == f"{code} != '' && {code} != '0'" and last["run"].rstrip().endswith("exit 1")


@pytest.mark.parametrize(
    ("comments", "asked"),
    [
        ("", "--method POST repos/us/it/issues/7/comments"),
        ("11\n12\n", "--method PATCH repos/us/it/issues/comments/11"),
    ],
)
def test_one_comment_is_created_or_edited(runner: Runner, comments: str, asked: str) -> None:
    runner.stand_in("gh", GH)
    done = runner.step(PULL_REQUEST, COMMENT, NUMBER="7", HEAD="a", NEWEST="a", COMMENTS=comments)
    assert done.returncode == 0, done.stderr
    assert runner.read("gh") == f"api --silent {asked} --field body=@{runner.folder}/comment.md\n"
    assert runner.read("marker") == f"{marker('dev')}\n"


def test_a_run_for_an_older_commit_writes_no_comment(runner: Runner) -> None:
    runner.stand_in("gh", GH)
    done = runner.step(PULL_REQUEST, COMMENT, NUMBER="7", HEAD="a", NEWEST="b", COMMENTS="")
    assert done.returncode == 0 and "newer commit" in done.stdout
    assert not (runner.folder / "gh").exists()


def test_a_comment_that_cannot_be_posted_fails_the_job(runner: Runner) -> None:
    runner.stand_in("gh", "#!/bin/sh\nexit 1\n")
    assert runner.step(PULL_REQUEST, COMMENT, NUMBER="7", HEAD="a").returncode != 0


def test_the_job_fails_where_the_preview_did() -> None:
    last = JOBS["preview"]["steps"][-2]
    assert last["if"] == "steps.preview.outputs.code != '0'" and last["run"].rstrip().endswith("exit 1")
