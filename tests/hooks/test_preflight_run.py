"""What preflight found, as one message: what was changed, and commands for the stack's cluster."""

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from tests.fakes.plans import plan
from traceable_kong.hooks.preflight_run import run_preflight
from traceable_kong.preflight import examination, repair
from traceable_kong.preflight.examination import Examination
from traceable_kong.preflight.finding import Finding, StuckRelease

CLUSTER: Any = SimpleNamespace(api=None, kubeconfig=None, context="prod", command_options=" --context prod")
FINDING = Finding(subject="configmap a", problem="is there", fix="`kubectl delete configmap a`")
STUCK = StuckRelease(release=plan().releases[0], status="pending-upgrade", revision=2, restore=1)


def message(monkeypatch: pytest.MonkeyPatch, *, errors: list[Finding], stuck: list[StuckRelease]) -> str:
    found = Examination(errors=errors, warnings=[], stuck=stuck)
    monkeypatch.setattr(examination, "examine", lambda *_, **__: found)
    monkeypatch.setattr(repair, "repair", lambda *_, **__: FINDING)
    with pytest.raises(pulumi.RunError) as refused:
        run_preflight(CLUSTER, plan(), live_change=True)
    return str(refused.value)


def test_problems_are_reported_with_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    said = message(monkeypatch, errors=[FINDING], stuck=[STUCK])
    assert "Preflight found 1 problem. Nothing was changed." in said
    assert "`kubectl --context prod delete configmap a`" in said, "another cluster may be the current one"


def test_a_failed_repair_says_what_was_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    said = message(monkeypatch, errors=[], stuck=[STUCK])
    assert "Only the Helm releases named above were changed." in said
    assert "kubectl --context prod delete" in said


@pytest.mark.parametrize(("stuck", "seen"), [([], True), ([STUCK], False)])
def test_what_preflight_has_read_is_valid_until_a_repair(
    monkeypatch: pytest.MonkeyPatch, stuck: list[StuckRelease], seen: bool
) -> None:
    read: Any = object()
    found = Examination(errors=[], warnings=[], stuck=stuck, reader=read)
    monkeypatch.setattr(examination, "examine", lambda *_, **__: found)
    monkeypatch.setattr(repair, "repair", lambda *_, **__: None)
    assert (run_preflight(CLUSTER, plan(), live_change=True) is read) is seen
