"""The action that every job begins with: the kubeconfig of a job that works on a stack."""

from tests.scripts.workflows import PULL_REQUEST, SETUP, Runner, definition, steps

KUBECONFIG = "Write the kubeconfig"


def test_the_kubeconfig_is_readable_by_its_owner_only(runner: Runner) -> None:
    done = runner.step(SETUP, KUBECONFIG, KUBECONFIG_CONTENT="the way in")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert runner.read(".kube/config") == "the way in"
    assert (runner.folder / ".kube" / "config").stat().st_mode & 0o077 == 0


def test_a_missing_secret_is_named(runner: Runner) -> None:
    done = runner.step(SETUP, KUBECONFIG, KUBECONFIG_CONTENT="")
    assert done.returncode == 1
    assert "no secret KUBECONFIG, so stack dev cannot be reached" in done.stdout
    assert not (runner.folder / ".kube").exists()


def test_a_policy_pack_gets_an_environment_of_its_own(runner: Runner) -> None:
    pip = """printf '#!/bin/sh\\necho "$@" > "$SEEN/pip"\\n' > "$3/bin/pip"; chmod +x "$3/bin/pip\""""
    runner.stand_in("python3", f'#!/bin/sh\nmkdir -p "$3/bin"; {pip}\n')
    pack = str(runner.folder / "pack")
    done = runner.step(SETUP, "Install the policy pack", POLICY_PACK=pack)
    assert (done.returncode, done.stderr) == (0, "")
    assert runner.read("pip") == f"install --quiet --require-hashes --requirement {pack}/requirements.txt\n"


def test_only_a_job_with_a_stack_gets_the_cli_and_a_kubeconfig() -> None:
    conditional = [
        step.get("name", step.get("uses", "")) for step in steps(SETUP) if "inputs.stack" in step.get("if", "")
    ]
    assert [name.split("@")[0] for name in conditional] == ["pulumi/actions", KUBECONFIG]
    (checks,) = [
        step for step in definition(PULL_REQUEST)["jobs"]["checks"]["steps"] if "setup" in step.get("uses", "")
    ]
    assert "with" not in checks
