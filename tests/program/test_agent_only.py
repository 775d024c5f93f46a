"""The whole program as an agent-only stack: nothing of a gateway is loaded, registered or verified."""

from typing import Any

import pulumi
import pytest

from tests.fakes.program import Program
from tests.fakes.recording import STACK_ID, Recording
from tests.program.test_program import without_common_hooks
from traceable_kong.cluster import ownership
from traceable_kong.cluster.kubernetes_client import Unreachable
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.plan import inputs
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.verification.report import Check, Report

ALONE: dict[str, Any] = {"gateway": "false", "plugin": None}
SILENT = Report(
    name="traceable/agent",
    subject="agent",
    checks=(Check(pod="agent-1", name="agent", ok=False, expected="an answer", found="silence"),),
)


def test_only_the_agent_and_its_record_are_registered(program: Program) -> None:
    made = program.up(**ALONE)
    kinds = {item.name: item.type.split(":")[-1] for item in made.registrations if item.type.startswith("kubernetes:")}
    assert kinds == {
        "traceable-agent-namespace": "Namespace",
        "traceable-agent-release": "Release",
        "traceable-installation-record": "ConfigMap",
    }
    for run in (made, program.preview(**ALONE)):
        assert run.waits_for("traceable-installation-record", "traceable-agent-release")
    (provider,) = made.of_type("pulumi:providers:kubernetes")
    objects = [item for item in made.registrations if item.type.startswith("kubernetes:")]
    assert all(f"::{provider.name}::" in item.provider for item in objects)


def test_the_agent_is_the_same_as_in_a_stack_with_a_gateway(program: Program) -> None:
    """A stack that gets a gateway later keeps its agent, because the logical names are the same."""
    alone, beside = program.up(**ALONE), program.up(failMode="closed")
    for name in ("traceable-agent-namespace", "traceable-agent-release"):
        assert alone[name].inputs == beside[name].inputs
        assert alone[name].parent == beside[name].parent


def test_no_rock_is_loaded(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "load_rock", lambda _: pytest.fail("loaded"))
    program.up(**ALONE)


@pytest.mark.parametrize(("values", "replicas"), [({}, 2), ({"deploymentReplicas": 3}, 3)])
def test_gateways_of_other_stacks_may_deny_so_there_are_two_pods(
    program: Program, values: dict[str, int], replicas: int
) -> None:
    made = program.up(**ALONE, agentValues=values)
    assert made["traceable-agent-release"].inputs["values"]["deploymentReplicas"] == replicas


def test_it_creates_or_reads_its_own_namespace_also_if_it_is_called_kong(program: Program) -> None:
    assert not program.up(**ALONE, agent={"namespace": "kong"})["traceable-agent-namespace"].read
    assert program.up(**ALONE, agent={"namespace": "kong", "createNamespace": False})["traceable-agent-namespace"].read


def record_of(made: Recording) -> dict[str, Any]:
    return dict(made["traceable-installation-record"].inputs)


def test_the_record_is_written_beside_it_after_the_verification(program: Program) -> None:
    made = record_of(
        program.up(**ALONE, agentValues={"injector": {"tme": {"imageName": "tme", "imageVersion": "1.57.2"}}})
    )
    assert made["metadata"] == {
        "name": "traceable-agent-installation",
        "namespace": "traceable",
        "labels": ownership.labels(STACK_ID),
    }
    assert all(len(made["data"].pop(f"agent{what}Digest")) > 8 for what in ("Chart", "Values"))
    assert made["data"] == {
        "gateway": "false",
        "agentNamespace": "traceable",
        "endpoint": "http://agent.traceable:5442",
        "tmeImage": "docker.io/traceableai/tme:1.57.2",
    }


@pytest.mark.parametrize(("values", "webhook"), [({}, True), ({"injectorEnabled": False}, False)])
def test_every_up_and_no_preview_verifies_the_agent(program: Program, values: dict[str, bool], webhook: bool) -> None:
    program.preview(**ALONE, agentValues=values)
    assert program.agents_asked_for == []
    program.up(**ALONE, agentValues=values)
    (agent,) = program.agents_asked_for
    assert (agent.namespace, agent.release.name) == ("traceable", "traceable-agent")
    assert agent.injector_webhook == ("traceable-agent-injector-traceable" if webhook else None)
    assert program.asked_for == [], "there is no gateway to verify"


@pytest.mark.parametrize(("found", "said"), [(SILENT, "silence"), (Unreachable("away"), "away.*`pulumi up` again")])
def test_without_a_successful_verification_there_is_no_record(program: Program, found: Any, said: str) -> None:
    program.report = found
    with pytest.raises(pulumi.RunError, match=said):
        program.up(**ALONE)
    assert "traceable-agent-release" in program.recording.names
    assert "traceable-installation-record" not in program.recording.names


def test_the_plan_has_the_agent_only(program: Program) -> None:
    program.preview(**ALONE)
    program.imports = frozenset({"agent"})
    made = program.up(**ALONE, agent={"adopt": True, "timeoutSeconds": 70})
    assert made["traceable-agent-release"].import_id == "traceable/traceable-agent"
    assert program.live_changes == [False, True]
    before, adopted = (plan.agent for plan in program.plans)
    assert isinstance(before, ManagedAgent) and isinstance(adopted, ManagedAgent)
    assert before.release.values["deploymentReplicas"] == 2
    assert (before.create_namespace, before.token, before.token_secret) == (
        True,
        None,
        SecretKey(name="token", key="token"),
    )
    assert (before.release.adopt, before.release.timeout_seconds) == (False, 300)
    assert (adopted.release.adopt, adopted.release.timeout_seconds) == (True, 70)
    plan = program.plans[-1]
    assert (plan.owner, plan.gateway, plan.record_name) == (STACK_ID, None, "traceable-agent-installation")


def test_only_its_release_has_hooks_and_none_of_them_runs_in_a_destroy(program: Program) -> None:
    made = program.up(**ALONE)
    held = {item.name: without_common_hooks(item.hooks) for item in made.registrations}
    assert {name: hooks for name, hooks in held.items() if hooks} == {
        "traceable-agent-release": {
            "before_create": ("traceable-before-agent-create",),
            "before_update": ("traceable-before-agent-update",),
        }
    }


def test_all_gateway_keys_are_refused_at_once_and_nothing_is_registered(program: Program) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        program.up(**ALONE, mode="async", kong={"namespace": "a"}, failMode="closed", agent={"install": False})
    text = str(refused.value)
    for key in ("mode", "kong", "failMode", "agent.install"):
        assert f"  traceable-kong:{key}\n" in text
    assert "4 problems" in text, "the token belongs to the agent"
    assert program.recording.names == {"traceable"}
