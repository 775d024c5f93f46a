"""The file for GitLab CI: which job runs when, and the shell of its jobs, with stand-ins for the programs."""

from typing import Any

import pytest
import yaml

from tests.scripts.recorded import CLONE
from tests.scripts.workflows import PULUMI, Runner

FILE: dict[str, Any] = yaml.safe_load((CLONE / "docs" / "examples" / "gitlab-ci.yml").read_text(encoding="utf-8"))
JOBS = {name: job for name, job in FILE.items() if isinstance(job, dict) and {"extends", "script"} & job.keys()}

PYTHON = """#!/bin/sh
echo "$@" | sed "s#$RUNNER_TEMP#TEMP#g" >> "$SEEN/python"
case "$*" in
  *stack_verification*) echo "### report"; exit "$VERIFIES_WITH" ;;
  *drift_report*) echo "state=$DRIFT"; echo "### drift" > report.md ;;
esac
"""


def whole(name: str) -> dict[str, Any]:
    """The job with what it extends."""
    job = JOBS.get(name) or FILE[name]
    return (whole(job["extends"]) | job) if "extends" in job else job


@pytest.fixture
def ci(runner: Runner) -> Runner:
    runner.stand_in("pulumi", PULUMI)
    runner.stand_in(".venv/bin/python", PYTHON)
    runner.write("recorded.json", "{}")
    return runner


def run(ci: Runner, job: str, **variables: str) -> tuple[int, str, list[str]]:
    """The exit code, the output, and what Python was asked."""
    done = ci.shell("\n".join(whole(job)["script"]), **{"CI_JOB_URL": "URL", "ENDS_WITH": "0", **variables})
    return done.returncode, done.stdout, ci.read("python").splitlines()


def test_every_reference_exists() -> None:
    for name, job in JOBS.items():
        assert job.get("extends", ".stack") in FILE, name
        assert set(job.get("needs", [])) <= JOBS.keys(), name
        assert whole(name).get("stage", "check") in FILE["stages"], name


def test_code_from_a_fork_runs_without_credentials() -> None:
    assert "environment" not in FILE["checks"]
    rules = [rule["if"] for job in (".preview", ".deploy", ".drift") for rule in FILE[job]["rules"]]
    for rule in rules:
        own = "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule
        assert own or '$CI_PIPELINE_SOURCE != "merge_request_event"' in rule or '== "schedule"' in rule


def test_a_deployment_is_started_by_hand_after_its_preview_and_never_canceled() -> None:
    deployment = whole("deploy dev")
    assert [rule["when"] for rule in deployment["rules"]] == ["manual"]
    assert "preview dev" in deployment["needs"] and "checks" in deployment["needs"]
    assert deployment["interruptible"] is False and deployment["resource_group"] == "deploy-$STACK"


def test_a_job_on_a_stack_has_a_kubeconfig_of_its_own(ci: Runner) -> None:
    for name in ("make", "curl"):
        ci.stand_in(name, f'#!/bin/sh\necho {name} "$@" >> "$SEEN/{name}"\n')
    ci.write("file", "the way in")
    script = "\n".join(whole("preview dev")["before_script"])
    done = ci.shell(f'{script}\necho "$KUBECONFIG"', KUBECONFIG=str(ci.folder / "file"), PULUMI_VERSION="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{ci.folder}/.kube/config\n"
    assert ci.read(".kube/config") == "the way in"
    assert (ci.folder / ".kube" / "config").stat().st_mode & 0o077 == 0
    assert ci.read("make") == "make .venv/.complete\n"


def test_the_cli_has_the_version_of_the_program() -> None:
    assert f"\npulumi=={FILE['variables']['PULUMI_VERSION']} " in (CLONE / "requirements.txt").read_text()


@pytest.mark.parametrize(("iid", "code"), [("4", "0"), ("4", "1"), ("", "0")])
def test_a_preview_becomes_a_note_of_a_merge_request(ci: Runner, iid: str, code: str) -> None:
    ended, _, asked = run(ci, "preview dev", ENDS_WITH=code, CI_MERGE_REQUEST_IID=iid)
    assert ended == int(code)
    assert ci.read("pulumi") == "preview --stack dev --non-interactive --json --show-sames\n"
    comment = f"-m scripts.preview_comment --stack dev --exit-code {code} --errors preview.err preview.json"
    assert asked == [comment, *(["-m scripts.gitlab_report note --text comment.md"] if iid else [])]


def test_a_policy_pack_judges_previews_and_deployments(ci: Runner) -> None:
    for name in ("make", "curl"):
        ci.stand_in(name, "#!/bin/sh\n")
    ci.stand_in("pulumi", '#!/bin/sh\necho "$@" >> "$SEEN/pulumi"\n')
    ci.stand_in("pack/.venv/bin/pip", '#!/bin/sh\necho "$@" > "$SEEN/pip"\n')
    ci.stand_in("python3", "#!/bin/sh\n")
    ci.write("file", "the way in")
    variables = {"POLICY_PACK": "pack", "POLICY_PACK_CONFIG": "pack/ours.json", "KUBECONFIG": str(ci.folder / "file")}
    variables |= {"PULUMI_VERSION": "0", "CI_COMMIT_SHA": "abc"}
    for job in ("preview dev", "deploy dev"):
        done = ci.shell("\n".join([*whole(job)["before_script"], *whole(job)["script"]]), **variables)
        assert done.returncode in (0, 1), done.stderr
    assert ci.read("pip") == "install --quiet --require-hashes --requirement pack/requirements.txt\n"
    options = "--policy-pack pack --policy-pack-config pack/ours.json"
    assert [line for line in ci.read("pulumi").splitlines() if "policy" in line] == [
        f"preview --stack dev --non-interactive --suppress-progress {options}",
        f"up --stack dev --yes --non-interactive --suppress-progress --message abc {options}",
    ]


@pytest.mark.parametrize(
    ("updated", "verified", "code"), [("0", "0", 0), ("0", "1", 1), ("0", "2", 0), ("255", "0", 255), ("2", "2", 2)]
)
def test_update_and_verification_decide_about_a_deployment(ci: Runner, updated: str, verified: str, code: int) -> None:
    ended, said, asked = run(ci, "deploy dev", ENDS_WITH=updated, VERIFIES_WITH=verified, CI_COMMIT_SHA="abc")
    assert ended == code
    assert ci.read("pulumi") == "up --stack dev --yes --non-interactive --suppress-progress --message abc\n"
    assert asked == ["-m scripts.stack_verification --stack dev"], "verified also after an update that failed"
    assert ("WARNING: something of stack dev could not be observed" in said) == (updated == "0" and verified == "2")


@pytest.mark.parametrize(
    ("preview", "verify", "state", "code"), [("0", "0", "none", 0), ("7", "1", "drift", 0), ("1", "2", "unknown", 1)]
)
def test_drift_becomes_an_issue(ci: Runner, preview: str, verify: str, state: str, code: int) -> None:
    ended, said, asked = run(ci, "drift dev", ENDS_WITH=preview, VERIFIES_WITH=verify, DRIFT=state)
    assert ended == code and "### drift" in said
    assert (
        ci.read("pulumi") == "preview --refresh --expect-no-changes --stack dev --non-interactive --json --show-sames\n"
    )
    assert asked == [
        "-m scripts.stack_verification --stack dev",
        f"-m scripts.drift_report --stack dev --run URL --preview-code {preview} --errors preview.err "
        f"--verify-code {verify} --verification verification.md --report report.md preview.json",
        f"-m scripts.gitlab_report issue --stack dev --state {state} --text report.md",
    ]
