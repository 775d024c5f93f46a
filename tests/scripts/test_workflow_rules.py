"""Rules for every workflow and action: pinned actions, least permissions, no foreign text in a shell, few secrets."""

import re
from typing import Any

import pytest

from tests.scripts.recorded import CLONE
from tests.scripts.workflows import DEPLOY, DRIFT, PULL_REQUEST, RELEASE, SETUP, actions, definition, steps, workflows

EVERYTHING = [*workflows(), *actions()]

PERMISSIONS = {
    DEPLOY: {
        "preview": {"contents": "read"},
        "deploy": {"contents": "read", "actions": "read"},
    },
    DRIFT: {"drift": {"contents": "read", "issues": "write"}},
    PULL_REQUEST: {
        "checks": {"contents": "read"},
        "preview": {"contents": "read", "pull-requests": "write"},
    },
    RELEASE: {
        "checks": {"contents": "read"},
        "build": {"contents": "read"},
        "release": {"contents": "write", "id-token": "write", "attestations": "write"},
    },
}
"""What each job of each workflow may do on GitHub."""


@pytest.mark.parametrize("path", workflows())
def test_jobs_have_the_permissions_that_they_need(path: str) -> None:
    assert definition(path)["permissions"] == {}
    assert {name: job["permissions"] for name, job in definition(path)["jobs"].items()} == PERMISSIONS[path]


@pytest.mark.parametrize("path", workflows())
def test_only_jobs_with_an_environment_have_secrets(path: str) -> None:
    for name, job in definition(path)["jobs"].items():
        assert "environment" in job or "secrets." not in str(job), name


@pytest.mark.parametrize("path", EVERYTHING)
def test_scripts_get_values_by_env_only(path: str) -> None:
    assert not [step["run"] for step in steps(path) if "${{" in step.get("run", "")]


@pytest.mark.parametrize("path", EVERYTHING)
def test_a_script_ends_at_the_first_command_that_fails(path: str) -> None:
    """`shell: bash` is `bash --noprofile --norc -eo pipefail`; without it, there is no pipefail."""
    if path in workflows():
        assert definition(path)["defaults"] == {"run": {"shell": "bash"}}
    else:
        assert {step["shell"] for step in steps(path) if "run" in step} == {"bash"}


@pytest.mark.parametrize("path", EVERYTHING)
def test_actions_are_pinned_by_the_digest_of_a_commit(path: str) -> None:
    for step in steps(path):
        used = step.get("uses", "./.github/actions/setup")
        local = used.startswith("./.github/actions/") and f"{used.removeprefix('./.github/')}/action.yaml" in actions()
        assert local or re.fullmatch(r"(actions|pulumi)/[a-z-]+@[0-9a-f]{40}", used)


def test_one_action_has_one_digest() -> None:
    used = {step["uses"] for path in EVERYTHING for step in steps(path) if "@" in step.get("uses", "")}
    assert len(used) == len({name.split("@")[0] for name in used})


def test_the_cli_has_the_version_of_the_program() -> None:
    versions: list[Any] = [step["with"].get("pulumi-version") for step in steps(SETUP) if "with" in step]
    (version,) = filter(None, versions)
    assert f"\npulumi=={version} " in (CLONE / "requirements.txt").read_text()


@pytest.mark.parametrize("path", workflows())
def test_jobs_check_out_without_keeping_the_token(path: str) -> None:
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
            assert "path" not in step["with"], "./.github/actions would be another commit's"
