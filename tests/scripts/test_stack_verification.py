"""The verification as part of a run: the report and exit code of verify.py, and stacks without a gateway."""

import subprocess
import sys

import pytest

from scripts import stack_verification
from tests.scripts.workflows import Runner

COMMAND = [sys.executable, "-m", "scripts.stack_verification", "--stack", "dev"]


def test_a_stack_without_a_gateway_has_nothing_to_verify(runner: Runner) -> None:
    runner.stand_in("pulumi", '#!/bin/sh\necho \'{"agentRelease": "a"}\'\n')
    done = runner.shell(subprocess.list2cmdline(COMMAND))
    assert done.returncode == 0, done.stderr
    assert "no gateway" in done.stdout


def test_outputs_that_cannot_be_read_are_not_a_success(runner: Runner) -> None:
    runner.stand_in("pulumi", "#!/bin/sh\necho 'error: no <b>login' >&2\nexit 3\n")
    done = runner.shell(subprocess.list2cmdline(COMMAND))
    assert done.returncode == 2
    assert "not run" in done.stdout and "error&#58; no &#60;b&#62;login" in done.stdout
    assert "error: no <b>login" in done.stderr, "the log is for people"


def verified(runner: Runner, monkeypatch: pytest.MonkeyPatch, program: str) -> tuple[int, str]:
    runner.write("verify.py", program)
    runner.stand_in("pulumi", '#!/bin/sh\necho \'{"recordDigest": "a"}\'\n')
    monkeypatch.setenv("PATH", f"{runner.folder / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(stack_verification, "CLONE", runner.folder)
    return stack_verification.verify("dev")


def test_the_report_and_the_exit_code_are_those_of_verify(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys; print(sys.argv[1:]); print('not this', file=sys.stderr); sys.exit(1)"
    assert verified(runner, monkeypatch, program) == (1, "['--stack', 'dev', '--output', 'markdown']\n")


def test_a_verification_without_a_report_is_named(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    exit_code, report = verified(runner, monkeypatch, "import sys; sys.exit(70)")
    assert exit_code == 70 and "`verify.py` did not run to its end (exit code 70)" in report
