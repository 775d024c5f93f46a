"""The whole program as a stack that is the agent alone: nothing of a gateway is loaded, made or asked about."""

from typing import Any

import pulumi
import pytest

from tests.fakes.program import Program
from tests.fakes.recording import STACK_ID, Recording
from tests.program.test_program import without_name_check
from traceable_kong.cluster import ownership
from traceable_kong.cluster.kubernetes_client import Unreachable
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.hooks import beginning
from traceable_kong.plan.model import ManagedAgent
from traceable_kong.verification.report import Check, Report

ALONE: dict[str, Any] = {"gateway": "false", "plugin": None}
SILENT = Report(
    gateway="traceable/agent",
    subject="agent",
    checks=(Check(pod="agent-1", name="agent", ok=False, expected="an answer", found="silence"),),
)


def test_only_the_agent_and_its_record_are_made(program: Program) -> None:
    made = program.up(**ALONE)
    kinds = {item.name: item.type.split(":")[-1] for item in made.registrations if item.type.startswith("kubernetes:")}
    assert kinds == {
        "agent-namespace": "Namespace",
        "agent-release": "Release",
        "installation-record": "ConfigMap",
    }
    for run in (made, program.preview(**ALONE)):
        assert run.waits_for("installation-record", "agent-release")
    (provider,) = made.of_type("pulumi:providers:kubernetes")
    ours = [item for item in made.registrations if item.type.startswith("kubernetes:")]
    assert all(f"::{provider.name}::" in item.provider for item in ours)


def test_it_is_the_same_agent_that_a_gateway_has(program: Program) -> None:
    """A stack that gets a gateway later keeps its agent: the logical names are the same."""
    alone, beside = program.up(**ALONE), program.up(failMode="closed")
    for name in ("agent-namespace", "agent-release"):
        assert alone[name].inputs == beside[name].inputs
        assert alone[name].parent == beside[name].parent


def test_no_rock_is_loaded(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beginning, "load_rock", lambda _: pytest.fail("loaded"))
    program.up(**ALONE)


@pytest.mark.parametrize(("values", "replicas"), [({}, 2), ({"deploymentReplicas": 3}, 3)])
def test_the_gateways_of_others_may_deny_so_one_pod_can_be_away(
    program: Program, values: dict[str, int], replicas: int
) -> None:
    made = program.up(**ALONE, agentValues=values)
    assert made["agent-release"].inputs["values"]["deploymentReplicas"] == replicas


def test_in_a_namespace_that_would_be_kongs_it_makes_or_finds_its_own(program: Program) -> None:
    assert not program.up(**ALONE, agent={"namespace": "kong"})["agent-namespace"].read
    assert program.up(**ALONE, agent={"namespace": "kong", "createNamespace": False})["agent-namespace"].read


def record_of(made: Recording) -> dict[str, Any]:
    return dict(made["installation-record"].inputs)


def test_what_stands_is_recorded_beside_it_after_the_proof(program: Program) -> None:
    made = record_of(
        program.up(**ALONE, agentValues={"injector": {"tme": {"imageName": "tme", "imageVersion": "1.57.2"}}})
    )
    assert made["metadata"] == {
        "name": "traceable-agent-installation",
        "namespace": "traceable",
        "labels": ownership.labels(STACK_ID),
    }
    assert len(made["data"].pop("agentValuesDigest")) > 8
    assert made["data"] == {
        "gateway": "false",
        "agentNamespace": "traceable",
        "endpoint": "http://agent.traceable:5442",
        "tmeImage": "docker.io/traceableai/tme:1.57.2",
    }


@pytest.mark.parametrize(("values", "webhook"), [({}, True), ({"injectorEnabled": False}, False)])
def test_the_proof_is_in_every_up_and_in_no_preview(program: Program, values: dict[str, bool], webhook: bool) -> None:
    program.preview(**ALONE, agentValues=values)
    assert program.agents_asked_for == []
    program.up(**ALONE, agentValues=values)
    (agent,) = program.agents_asked_for
    assert (agent.namespace, agent.release.name) == ("traceable", "traceable-agent")
    assert agent.injector_webhook == ("traceable-agent-injector-traceable" if webhook else None)
    assert program.asked_for == [], "there is no gateway to be proven"


@pytest.mark.parametrize(("found", "said"), [(SILENT, "silence"), (Unreachable("away"), "away.*`pulumi up` again")])
def test_what_is_not_proven_is_not_recorded(program: Program, found: Any, said: str) -> None:
    program.report = found
    with pytest.raises(pulumi.RunError, match=said):
        program.up(**ALONE)
    assert "agent-release" in program.recording.names
    assert "installation-record" not in program.recording.names


def test_preflight_is_told_of_the_agent_only(program: Program) -> None:
    program.preview(**ALONE)
    program.imports = frozenset({"agent"})
    made = program.up(**ALONE, agent={"adopt": True, "timeoutSeconds": 70})
    assert made["agent-release"].import_id == "traceable/traceable-agent"
    before, asked = program.plans
    assert program.live_changes == [False, True]
    (release,) = before.releases
    assert (release.values["deploymentReplicas"], release.timeout_seconds, release.adopt) == (2, 300, False)
    assert isinstance(before.agent, ManagedAgent) and before.agent.create_namespace
    assert (before.agent.token, before.agent.token_secret) == (None, SecretKey(name="token", key="token"))
    (release,) = asked.releases
    assert (release.timeout_seconds, release.adopt) == (70, True)
    assert (asked.gateway, asked.owner, asked.record_name) == (None, STACK_ID, "traceable-agent-installation")


def test_its_release_waits_for_its_gate_and_no_hook_stands_in_the_way_of_a_destroy(program: Program) -> None:
    made = program.up(**ALONE)
    held = {item.name: without_name_check(item.hooks) for item in made.registrations}
    assert {name: hooks for name, hooks in held.items() if hooks} == {
        "agent-release": {
            "before_create": ("before-agent-create",),
            "before_update": ("before-agent-update",),
        }
    }


def test_all_that_belongs_to_a_gateway_is_refused_at_once_and_nothing_registered(program: Program) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        program.up(**ALONE, mode="async", kong={"namespace": "a"}, failMode="closed", agent={"install": False})
    text = str(refused.value)
    for key in ("mode", "kong", "failMode", "agent.install"):
        assert f"  traceable-kong:{key}\n" in text
    assert "4 problems" in text, "the token is not one: it is the agent's"
    assert program.recording.registrations == []
