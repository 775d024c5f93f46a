"""Mending, with a stand-in for the helm command that writes down how it was called."""

import dataclasses
import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.plans import OWNER, plan
from tests.fakes.preflight_cluster import ANOTHER_OF_THIS_NAME, NOW, FakeKubernetes
from traceable_kong.cluster.kubernetes_client import Unreachable
from traceable_kong.preflight import repair
from traceable_kong.preflight.finding import Finding, StuckRelease

RELEASE = plan(kong={"timeoutSeconds": 90}).releases[0]
STUCK = StuckRelease(release=RELEASE, status="pending-upgrade", revision=2, restore=1)
REMOVED = dataclasses.replace(STUCK, status="pending-install", revision=1, restore=None)
TEXT = "apiVersion: v1\nkind: Config\nusers: [{name: u, user: {token: hidden-token}}]\n"


def repaired(
    api: FakeKubernetes,
    stuck: StuckRelease,
    *,
    kubeconfig: str | None = None,
    context: str | None = None,
    said: list[str] | None = None,
) -> Finding | None:
    return repair.repair(api, stuck, owner=OWNER, kubeconfig=kubeconfig, context=context, say=(said or []).append)


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


class Statuses(FakeKubernetes):
    """A release that is in each of these states in turn, looked at again and again; `release` are its other traits."""

    def __init__(self, *looks: list[str], **release: Any) -> None:
        super().__init__()
        self.looks = iter(looks)
        self.traits = release

    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[dict[str, object]]:
        if path.endswith("/secrets"):
            self.objects.clear()
            self.release("kong", "quickstart", next(self.looks), **self.traits)
        return super().list(path, metadata_only=metadata_only, **selectors)


def repaired_statuses() -> Statuses:
    return Statuses(["deployed", "pending-upgrade"], ["superseded", "superseded", "deployed"])


def test_helm_is_pointed_at_the_cluster_of_a_text_without_leaving_it_behind(helm: Helm) -> None:
    assert repaired(repaired_statuses(), STUCK, kubeconfig=TEXT, context="prod") is None
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
    assert repaired(repaired_statuses(), STUCK, kubeconfig="~/a:/b", context=None) is None
    assert helm.seen["kubeconfig"] == f"{tmp_path}/a:/b"
    monkeypatch.setenv("KUBECONFIG", "/usual")
    assert repaired(repaired_statuses(), STUCK, kubeconfig=None, context=None) is None
    assert helm.seen["kubeconfig"] == "/usual"
    assert "--kube-context" not in str(helm.seen["arguments"])


@pytest.mark.parametrize("name", ["HELM_KUBECONTEXT", "HELM_KUBEAPISERVER", "HELM_NAMESPACE", "HELM_DRIVER"])
def test_variables_that_lead_elsewhere_are_not_handed_on(
    helm: Helm, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "elsewhere")
    assert repaired(repaired_statuses(), STUCK, kubeconfig=None, context=None) is None
    assert f"{name}':" not in str(helm.seen["environment"])


def test_what_has_ended_by_itself_is_left_alone(helm: Helm) -> None:
    assert repaired(Statuses(["superseded", "deployed"]), STUCK, kubeconfig=None, context=None) is None
    assert not helm.called.exists()


def test_without_helm_the_command_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = repaired(repaired_statuses(), STUCK, kubeconfig=None, context=None)
    assert found is not None
    assert "helm rollback quickstart 1 --namespace kong" in found.fix


def test_what_helm_says_is_told(helm: Helm) -> None:
    helm.ends_with(1, "Error: it did not work")
    same = ["deployed", "pending-upgrade"]
    found = repaired(Statuses(same, same), STUCK, kubeconfig=None, context=None)
    assert found is not None
    assert "Error: it did not work" in found.problem


def test_what_helm_quotes_is_not_shown(helm: Helm) -> None:
    """It was given a kubeconfig, and values."""
    helm.ends_with(1, 'Error: yaml: line 3: cannot unmarshal !!str `hidden-token` into "hidden-token"')
    same = ["deployed", "pending-upgrade"]
    found = repaired(Statuses(same, same), STUCK, kubeconfig=TEXT, context=None)
    assert found is not None and "line 3" in found.problem and "hidden-token" not in found.problem + found.fix


def test_helm_is_given_a_little_more_than_its_own_time(helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "GRACE_SECONDS", 0.2)
    helm.script.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(30)\n")
    same = ["deployed", "pending-upgrade"]
    found = repaired(
        Statuses(same, same),
        dataclasses.replace(STUCK, release=dataclasses.replace(RELEASE, timeout_seconds=0)),
        kubeconfig=None,
        context=None,
    )
    assert found is not None
    assert "no answer within 0.2 seconds" in found.problem


def test_a_cluster_that_is_gone_meanwhile_is_told(helm: Helm) -> None:
    class Gone(FakeKubernetes):
        def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[dict[str, object]]:
            raise Unreachable("https://gone:6443")

    found = repaired(Gone(), STUCK, kubeconfig=None, context=None)
    assert found is not None
    assert "https://gone:6443" in found.problem


def test_a_rollback_that_did_not_deploy_is_told(helm: Helm) -> None:
    after = ["deployed", "pending-upgrade", "failed"]
    found = repaired(Statuses(after[:2], after), STUCK, kubeconfig=None, context=None)
    assert found is not None
    assert "it is failed now" in found.problem


@pytest.mark.parametrize("owner", [None, ANOTHER_OF_THIS_NAME])
def test_what_carries_another_mark_by_now_is_not_touched(helm: Helm, owner: str | None) -> None:
    """A colleague's own upgrade does not have this stack's id in its values."""
    found = repaired(Statuses(["deployed", "pending-upgrade"], owner=owner), STUCK)
    assert found is not None and "did not change it" in found.problem
    assert not helm.called.exists()


def test_what_serves_by_now_is_not_uninstalled(helm: Helm) -> None:
    found = repaired(Statuses(["pending-install"], serves=True), REMOVED)
    assert found is not None and "A release that serves is not uninstalled" in found.problem
    assert not helm.called.exists()
    assert repaired(Statuses(["pending-install"], [], serves=False), REMOVED) is None
    assert helm.called.exists()


class Clock:
    """Time that passes while the program waits, for it and for the API server."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        # In place of the module: other threads of the test session sleep too.
        monkeypatch.setattr(repair, "time", self)
        monkeypatch.setattr(FakeKubernetes, "server_time", lambda _: self.now)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def monotonic(self) -> float:
        return self.seconds

    @property
    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)


PENDING = ["deployed", "pending-upgrade"]


def test_an_operation_that_may_still_run_is_waited_for(helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(monkeypatch), list[str]([""])
    looks = [PENDING] * 10 + [["superseded", "deployed"]]
    assert repaired(Statuses(*looks, age_seconds=40), STUCK, said=said) is None
    assert not helm.called.exists(), "it ended by itself"
    assert clock.seconds == 10
    assert len(said) == 2 and "has been pending-upgrade for 40 s" in said[1] and "Waiting up to 50 s" in said[1]


def test_one_that_is_older_than_its_own_time_was_interrupted(helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(monkeypatch), list[str]([""])
    looks = [PENDING] * 51 + [["superseded", "superseded", "deployed"]]
    assert repaired(Statuses(*looks, age_seconds=40), STUCK, said=said) is None
    assert clock.seconds == 50, "90 s after it began"
    assert helm.called.exists()
    assert [line.count("Waiting up to") for line in said] == [0, 1, 1, 0], "every half minute, and then what is run"


def test_a_record_that_still_changes_is_not_dead(helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A colleague's operation has begun in place of the one that was found."""
    Clock(monkeypatch)
    looks = [PENDING] * 2 + [["superseded", "deployed", "pending-upgrade"]] * 60
    found = repaired(Statuses(*looks, age_seconds=40), STUCK)
    assert found is not None and "another operation has begun" in found.problem
    assert not helm.called.exists()


def test_the_label_of_helm_says_when_a_record_changed(helm: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    """`helm uninstall` changes the record of a revision that is long there."""

    class Uninstalling(Statuses):
        def get(self, path: str) -> Any:
            self.objects[path]["metadata"]["labels"]["modifiedAt"] = str(int(NOW.timestamp()) - 10)
            return super().get(path)

    clock = Clock(monkeypatch)
    stuck = dataclasses.replace(STUCK, status="uninstalling", revision=1, restore=1)
    looks = [["uninstalling"]] * 81 + [["superseded", "deployed"]]
    assert repaired(Uninstalling(*looks), stuck) is None
    assert clock.seconds == 80
    assert helm.called.exists()
