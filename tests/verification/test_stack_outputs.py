"""The outputs of a stack, read with a fake pulumi."""

import json
import sys
from pathlib import Path

import pytest

from traceable_kong.verification import stack_outputs
from traceable_kong.verification.stack_outputs import NoOutputs


def pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    path = folder / "pulumi"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{code}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_the_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, "print(json.dumps({'arguments': sys.argv[1:], 'folder': os.getcwd()}))")
    assert stack_outputs.stack_outputs("--org/dev", folder=tmp_path) == {
        "arguments": ["stack", "output", "--json", "--non-interactive", "--stack=--org/dev"],
        "folder": str(tmp_path),
    }


def test_the_outputs_within_an_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, "print(json.dumps({'recordDigest': 'other', 'traceable': {'recordDigest': 'a'}}))")
    assert stack_outputs.stack_outputs("dev", "traceable") == {"recordDigest": "a"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("absent", "does not exist"),
        ("text", "is not an object"),
        ("hidden", "is a secret"),
        ("a\x1b", "does not exist"),
    ],
)
def test_an_output_that_holds_no_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    pulumi(tmp_path, monkeypatch, "print(json.dumps({'text': 'x', 'hidden': '[secret]', 'recordDigest': 'a'}))")
    with pytest.raises(NoOutputs) as refused:
        stack_outputs.stack_outputs("dev", name)
    assert f"{text}. Nothing was verified." in str(refused.value) and str(refused.value).isprintable()


def test_another_output_holds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, "print(json.dumps({'edge': {'recordDigest': 'a'}, 'in': {'recordDigest': 'a'}}))")
    with pytest.raises(NoOutputs, match=r"^Output egde .* Run with --stack-output edge or --stack-output in\.$"):
        stack_outputs.stack_outputs("dev", "egde")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "sys.exit('error: no stack named dev\\nfound')",
            "dev cannot be read: error: no stack named dev found",
        ),
        ("sys.exit(3)", "pulumi ended with 3"),
        ("print('[]')", "no JSON object"),
        ("print('no JSON')", "no JSON object"),
        ("time.sleep(60)", "did not answer within"),
    ],
)
def test_outputs_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, text: str) -> None:
    monkeypatch.setattr(stack_outputs, "TIMEOUT_SECONDS", 1)
    pulumi(tmp_path, monkeypatch, code)
    with pytest.raises(NoOutputs) as refused:
        stack_outputs.stack_outputs("dev")
    assert text in str(refused.value)


def test_the_project_is_looked_for_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, "sys.exit(3)")
    with pytest.raises(NoOutputs, match="Run it in the folder of the Pulumi program; `pulumi stack ls`"):
        stack_outputs.stack_outputs("dev")
    with pytest.raises(NoOutputs) as refused:
        stack_outputs.stack_outputs("dev", folder=tmp_path)
    assert "in the folder" not in str(refused.value)


def test_pulumi_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoOutputs, match="not on PATH"):
        stack_outputs.stack_outputs("dev")


def test_credentials_in_an_error_of_pulumi_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = json.dumps("error: cannot open postgres://pulumi:hunter2@db/state\x1b[2J: refused")
    pulumi(tmp_path, monkeypatch, f"sys.exit({backend})")
    with pytest.raises(NoOutputs) as refused:
        stack_outputs.stack_outputs("dev")
    assert "hunter2" not in str(refused.value) and "\x1b" not in str(refused.value)
