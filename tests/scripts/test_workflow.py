"""The workflow: permissions, no foreign text in a shell, and its scripts with stand-ins for pulumi and gh."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.preview_comment import marker
from tests.scripts.recorded import CLONE, PREVIEWS

WORKFLOW = yaml.safe_load((CLONE / ".github" / "workflows" / "pull-request.yaml").read_text())
JOBS: dict[str, Any] = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]

PULUMI = """#!/bin/sh
env > "$SEEN/environment"
echo "$@" > "$SEEN/pulumi"
cat "$SEEN/recorded.json"
echo "error: said beside it" >&2
exit "$ENDS_WITH"
"""

GH = """#!/bin/sh
case "$*" in
  *--jq\\ .head.sha) echo "$NEWEST" ;;
  *--jq*) echo "$MARKER" > "$SEEN/marker"; printf '%s' "$COMMENTS" ;;
  *) echo "$@" >> "$SEEN/gh" ;;
esac
"""


def test_only_the_preview_may_write_comments() -> None:
    assert WORKFLOW["permissions"] == {}
    assert JOBS["checks"]["permissions"] == {"contents": "read"}
    assert JOBS["preview"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    # YAML reads `on` as true. The other event, pull_request_target, would run a fork's code with our secrets.
    assert list(WORKFLOW[True]) == ["pull_request"]


def test_forks_get_the_checks_but_no_preview() -> None:
    assert "if" not in JOBS["checks"] and "secrets." not in str(JOBS["checks"])
    assert [step["run"] for step in JOBS["checks"]["steps"] if "run" in step] == ["make check", "make unit"]
    condition = JOBS["preview"]["if"]
    assert condition.startswith("github.event.pull_request.head.repo.full_name == github.repository && ")


def test_scripts_get_values_by_env_only() -> None:
    assert not [step["run"] for step in STEPS if "${{" in step.get("run", "")]


def test_only_the_preview_has_secrets() -> None:
    assert [step["name"] for step in STEPS if "secrets." in str(step)] == ["Preview"]


def test_actions_are_pinned_by_the_digest_of_a_commit() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used and all(re.fullmatch(r"(actions|pulumi)/[a-z-]+@[0-9a-f]{40}", name) for name in used)


def test_the_cli_has_the_version_of_the_program() -> None:
    (version,) = [step["with"]["pulumi-version"] for step in STEPS if "pulumi-version" in step.get("with", {})]
    assert f"\npulumi=={version} " in (CLONE / "requirements.txt").read_text()


def test_a_newer_run_cancels_an_older_one() -> None:
    concurrency = JOBS["preview"]["concurrency"]
    assert concurrency["cancel-in-progress"] is True
    assert "github.event.pull_request.number" in concurrency["group"] and "matrix.stack" in concurrency["group"]


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A folder as the runner's, with pulumi and gh that write down what they were asked."""
    for name, text in (("pulumi", PULUMI), ("gh", GH)):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    (tmp_path / "comment.md").write_text("text")
    return tmp_path


def run(runner: Path, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The shell of the step with that name, as a runner starts it."""
    (step,) = [step for step in STEPS if step.get("name") == name]
    environment = {
        "PATH": f"{runner / 'bin'}:{os.environ['PATH']}",
        "HOME": str(runner),
        "SEEN": str(runner),
        "RUNNER_TEMP": str(runner),
        "GITHUB_OUTPUT": str(runner / "output"),
        "GITHUB_STEP_SUMMARY": str(runner / "summary"),
        "GITHUB_REPOSITORY": "us/it",
        "STACK": "dev",
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=CLONE,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("recorded", "code", "said"), [("nothing", "0", "nothing changes"), ("refused", "255", "is 99")]
)
def test_every_preview_becomes_a_comment(runner: Path, recorded: str, code: str, said: str) -> None:
    (runner / "recorded.json").write_text((PREVIEWS / f"{recorded}.json").read_text())
    done = run(runner, "Preview", ENDS_WITH=code, KUBECONFIG_CONTENT="the way in")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (runner / "pulumi").read_text() == "preview --stack dev --non-interactive --json\n"
    assert "KUBECONFIG" not in (runner / "environment").read_text()
    assert (runner / ".kube" / "config").read_text() == "the way in"
    assert (runner / ".kube" / "config").stat().st_mode & 0o077 == 0
    assert (runner / "output").read_text() == f"code={code}\n"

    done = run(runner, "Write the comment", CODE=code)
    assert done.returncode == 0, done.stderr
    assert said in (runner / "comment.md").read_text()
    assert (runner / "summary").read_text() == (runner / "comment.md").read_text()


@pytest.mark.parametrize(
    ("comments", "asked"),
    [
        ("", "--method POST repos/us/it/issues/7/comments"),
        ("11\n12\n", "--method PATCH repos/us/it/issues/comments/11"),
    ],
)
def test_one_comment_is_created_or_edited(runner: Path, comments: str, asked: str) -> None:
    done = run(runner, "Create or edit the comment", NUMBER="7", HEAD="a", NEWEST="a", COMMENTS=comments)
    assert done.returncode == 0, done.stderr
    assert (runner / "gh").read_text() == f"api --silent {asked} --field body=@{runner}/comment.md\n"
    assert (runner / "marker").read_text() == f"{marker('dev')}\n"


def test_a_run_for_an_older_commit_writes_no_comment(runner: Path) -> None:
    done = run(runner, "Create or edit the comment", NUMBER="7", HEAD="a", NEWEST="b", COMMENTS="")
    assert done.returncode == 0 and "newer commit" in done.stdout
    assert not (runner / "gh").exists()


def test_a_comment_that_cannot_be_posted_fails_the_job(runner: Path) -> None:
    (runner / "bin" / "gh").write_text("#!/bin/sh\nexit 1\n")
    assert run(runner, "Create or edit the comment", NUMBER="7", HEAD="a").returncode != 0


def test_the_job_fails_where_the_preview_did() -> None:
    last = JOBS["preview"]["steps"][-1]
    assert last["if"] == "steps.preview.outputs.code != '0'" and last["run"].rstrip().endswith("exit 1")


def test_the_matrix_has_the_stacks_with_a_file() -> None:
    for stack in JOBS["preview"]["strategy"]["matrix"]["stack"]:
        assert (CLONE / f"Pulumi.{stack}.yaml").exists()
    assert json.dumps(JOBS["preview"]["environment"]) == '"preview-${{ matrix.stack }}"'
