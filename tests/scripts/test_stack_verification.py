"""The verification as part of a run: exit codes, their meaning, and stacks without a gateway."""

import subprocess
import sys

import pytest

from scripts import stack_verification
from scripts.stack_verification import MEANINGS, markdown
from tests.scripts.recorded import CLONE
from tests.scripts.workflows import Runner

COMMAND = [sys.executable, "-m", "scripts.stack_verification", "--stack", "dev"]


def test_the_exit_codes_are_those_of_the_page() -> None:
    page = (CLONE / "docs" / "verification.md").read_text()
    section = page.partition("## Exit codes")[2].partition("\n## ")[0]
    for exit_code, meaning in MEANINGS.items():
        said = meaning.replace("⚠️ ", "").replace("**", "").partition(". ")[0].partition(", so")[0]
        assert f"| {exit_code} | {said}" in section


@pytest.mark.parametrize(
    ("exit_code", "said"), [(0, "as recorded"), (1, "does not hold"), (2, "observed"), (70, "its end")]
)
def test_every_exit_code_is_explained(exit_code: int, said: str) -> None:
    text = markdown("dev", exit_code, "one pod\n<b>")
    assert f"exit code {exit_code}\n" in text and said in text
    assert "<pre>one pod\n&#60;b&#62;</pre>" in text


def test_a_stack_without_a_gateway_has_nothing_to_verify(runner: Runner) -> None:
    runner.stand_in("pulumi", '#!/bin/sh\necho \'{"agentRelease": "a"}\'\n')
    done = runner.shell(subprocess.list2cmdline(COMMAND))
    assert done.returncode == 0, done.stderr
    assert "no gateway" in done.stdout


def test_outputs_that_cannot_be_read_are_not_a_success(runner: Runner) -> None:
    runner.stand_in("pulumi", "#!/bin/sh\necho 'error: no login' >&2\nexit 3\n")
    done = runner.shell(subprocess.list2cmdline(COMMAND))
    assert done.returncode == 2
    assert "exit code 2" in done.stdout and "error&#58; no login" in done.stdout


def test_the_report_and_the_exit_code_are_those_of_verify(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    runner.write("verify.py", "import sys; print(sys.argv[1:]); print('and this', file=sys.stderr); sys.exit(1)")
    runner.stand_in("pulumi", '#!/bin/sh\necho \'{"recordDigest": "a"}\'\n')
    monkeypatch.setenv("PATH", f"{runner.folder / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(stack_verification, "CLONE", runner.folder)
    exit_code, report = stack_verification.verify("dev")
    assert exit_code == 1
    assert sorted(report.splitlines()) == ["['--stack', 'dev']", "and this"]
