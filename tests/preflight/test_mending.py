"""Mending, with a stand-in for the helm command that writes down how it was called."""

import dataclasses
import json
import os
import sys
from pathlib import Path

import pytest

from kube import Unreachable
from preflight import DeadRelease, mend, mending
from tests.preflight.fake import FakeKube

DEAD = DeadRelease(
    namespace="kong", name="quickstart", status="pending-upgrade", revision=2, restore=1, timeout_seconds=90
)
TEXT = "apiVersion: v1\nkind: Config\nusers: [{name: u, user: {token: hidden-token}}]\n"


class Helm:
    """Where the stand-in is, and what it was called with."""

    def __init__(self, folder: Path) -> None:
        self.called = folder / "called.json"
        self.script = folder / "bin" / "helm"
        self.script.parent.mkdir()
        self.ends_with(0)

    def ends_with(self, code: int, says: str = "") -> None:
        self.script.write_text(
            f"#!{sys.executable}\n"
            "import json, os, pathlib, sys\n"
            "path = os.environ.get('KUBECONFIG', '')\n"
            "file = pathlib.Path(path)\n"
            "seen = {'arguments': sys.argv[1:], 'environment': dict(os.environ), 'kubeconfig': path}\n"
            "if file.is_file():\n"
            "    seen |= {'mode': oct(file.stat().st_mode & 0o777), 'text': file.read_text()}\n"
            f"pathlib.Path({str(self.called)!r}).write_text(json.dumps(seen))\n"
            f"sys.stderr.write({says!r})\n"
            f"sys.exit({code})\n"
        )
        self.script.chmod(0o755)

    @property
    def seen(self) -> dict[str, object]:
        return dict(json.loads(self.called.read_text()))


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Helm:
    found = Helm(tmp_path)
    monkeypatch.setenv("PATH", f"{found.script.parent}{os.pathsep}{os.environ['PATH']}")
    return found


class Statuses(FakeKube):
    """A release that is in each of these states in turn, looked at again and again."""

    def __init__(self, *looks: list[str]) -> None:
        super().__init__()
        self.looks = iter(looks)

    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[dict[str, object]]:
        self.objects.clear()
        self.release("kong", "quickstart", next(self.looks))
        return super().list(path, metadata_only=metadata_only, **selectors)


def mended() -> Statuses:
    return Statuses(["deployed", "pending-upgrade"], ["superseded", "superseded", "deployed"])


def test_helm_is_pointed_at_the_cluster_of_a_text_without_leaving_it_behind(helm: Helm) -> None:
    assert mend(mended(), DEAD, kubeconfig=TEXT, context="prod") is None
    seen = helm.seen
    waited = ["--wait", "--timeout", "90s"]
    assert seen["arguments"] == [
        "rollback",
        "quickstart",
        "1",
        "--namespace",
        "kong",
        *waited,
        "--kube-context",
        "prod",
    ]
    assert (seen["mode"], seen["text"]) == ("0o600", TEXT)
    assert "hidden-token" not in str(seen["arguments"]) + str(seen["environment"])
    assert not Path(str(seen["kubeconfig"])).exists()


def test_helm_is_pointed_at_a_file_or_left_with_the_usual_one(
    helm: Helm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert mend(mended(), DEAD, kubeconfig="~/a:/b", context=None) is None
    assert helm.seen["kubeconfig"] == f"{tmp_path}/a:/b"
    monkeypatch.setenv("KUBECONFIG", "/usual")
    assert mend(mended(), DEAD, kubeconfig=None, context=None) is None
    assert helm.seen["kubeconfig"] == "/usual"
    assert "--kube-context" not in str(helm.seen["arguments"])


@pytest.mark.parametrize("name", ["HELM_KUBECONTEXT", "HELM_KUBEAPISERVER", "HELM_NAMESPACE", "HELM_DRIVER"])
def test_variables_that_lead_elsewhere_are_not_handed_on(
    helm: Helm, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "elsewhere")
    assert mend(mended(), DEAD, kubeconfig=None, context=None) is None
    assert f"{name}':" not in str(helm.seen["environment"])


def test_what_has_ended_by_itself_is_left_alone(helm: Helm) -> None:
    assert mend(Statuses(["superseded", "deployed"]), DEAD, kubeconfig=None, context=None) is None
    assert not helm.called.exists()


def test_without_helm_the_command_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = mend(mended(), DEAD, kubeconfig=None, context=None)
    assert found is not None
    assert "helm rollback quickstart 1 --namespace kong" in found.mend


def test_what_helm_says_is_told(helm: Helm) -> None:
    helm.ends_with(1, "Error: it did not work")
    same = ["deployed", "pending-upgrade"]
    found = mend(Statuses(same, same), DEAD, kubeconfig=None, context=None)
    assert found is not None
    assert "Error: it did not work" in found.wrong


def test_helm_is_given_a_little_more_than_its_own_time(helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "GRACE_SECONDS", 0.2)
    helm.script.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(30)\n")
    same = ["deployed", "pending-upgrade"]
    found = mend(Statuses(same, same), dataclasses.replace(DEAD, timeout_seconds=0), kubeconfig=None, context=None)
    assert found is not None
    assert "no answer within 0.2 seconds" in found.wrong


def test_a_cluster_that_is_gone_meanwhile_is_told(helm: Helm) -> None:
    class Gone(FakeKube):
        def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[dict[str, object]]:
            raise Unreachable("https://gone:6443")

    found = mend(Gone(), DEAD, kubeconfig=None, context=None)
    assert found is not None
    assert "https://gone:6443" in found.wrong


def test_a_rollback_that_did_not_deploy_is_told(helm: Helm) -> None:
    after = ["deployed", "pending-upgrade", "failed"]
    found = mend(Statuses(after[:2], after), DEAD, kubeconfig=None, context=None)
    assert found is not None
    assert "it is failed now" in found.wrong
