"""What preflight found, as one message: what was changed, and commands for the stack's cluster."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from tests.fakes.kong_chart import renderings
from tests.fakes.plans import plan
from tests.fakes.preflight_cluster import FakeKubernetes
from traceable_kong.cluster.api_objects import Reader
from traceable_kong.cluster.shared_reads import SharedReads
from traceable_kong.common.wording import Wording
from traceable_kong.helm_values.rendered_chart import Rendering
from traceable_kong.hooks import preflight_run
from traceable_kong.plan.model import Plan
from traceable_kong.plan.release_model import ReleaseKey
from traceable_kong.preflight import examination, repair
from traceable_kong.preflight.examination import Examination
from traceable_kong.preflight.finding import Finding, StuckRelease

KUBERNETES = FakeKubernetes()
CLUSTER: Any = SimpleNamespace(
    api=KUBERNETES,
    reads=SharedReads(KUBERNETES),
    kubeconfig=None,
    context="prod",
    command_options=" --context prod",
)
FINDING = Finding(subject="configmap a", problem="is there", fix="`kubectl delete configmap a`")
STUCK = StuckRelease(release=plan().releases[0], status="pending-upgrade", revision=2, restore=1)


def run_preflight(monkeypatch: pytest.MonkeyPatch, cluster: Any, of: Plan) -> Reader:
    """Preflight of an `up`, with charts that are rendered without an engine."""

    async def rendered(*_: object) -> Mapping[ReleaseKey, Rendering]:
        return renderings(of)

    monkeypatch.setattr(preflight_run, "rendered_charts", rendered)
    provider: Any = None
    wording = Wording(options=cluster.command_options)
    return asyncio.run(preflight_run.run_preflight(cluster, of, provider, live_change=True, wording=wording))


def message(monkeypatch: pytest.MonkeyPatch, *, errors: list[Finding], stuck: list[StuckRelease]) -> str:
    found = Examination(errors=errors, warnings=[], stuck=stuck)
    monkeypatch.setattr(examination, "examine", lambda *_, **__: found)
    monkeypatch.setattr(repair, "repair", lambda *_, **__: FINDING)
    with pytest.raises(pulumi.RunError) as refused:
        run_preflight(monkeypatch, CLUSTER, plan())
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
    found = Examination(errors=[], warnings=[], stuck=stuck)
    given: list[Reader] = []

    def examine(reader: Reader, *_: object, **__: object) -> Examination:
        given.append(reader)
        return found

    monkeypatch.setattr(examination, "examine", examine)
    monkeypatch.setattr(repair, "repair", lambda *_, **__: None)
    returned = run_preflight(monkeypatch, CLUSTER, plan())
    assert (returned is given[0]) is seen
