"""The gate of an agent that is alone: what no state knows is found by the record beside the agent."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.recording import record
from traceable_kong.hooks import orphaned_releases, rollout_monitor
from traceable_kong.hooks.agent_hooks import AgentGates, AgentGatesArgs
from traceable_kong.hooks.injection_dry_run import HookFailed
from traceable_kong.verification.agent_verification import AgentExpectation

ARGS: Any = None


def call(hook: str) -> None:
    cluster = SimpleNamespace(api=FakeKubernetes(), kubeconfig=None, context=None, command_options=" --context prod")
    args = AgentGatesArgs(
        owner="traceable-kong.test",
        expectation=AgentExpectation(namespace="shared", release="traceable-agent", webhook=None),
        timeout_seconds=70,
    )
    made = record(lambda: AgentGates(args=args, cluster=cluster))
    asyncio.run(made.hooks[hook].callback(ARGS))  # type: ignore[arg-type]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked, in order."""
    names: list[Any] = []
    monkeypatch.setattr(rollout_monitor.RolloutMonitor, "start", lambda self: names.append("watch"))
    monkeypatch.setattr(orphaned_releases, "make_room", lambda _, **arguments: names.append(arguments))
    return names


def test_before_it_is_made_its_name_is_cleared(asked: list[Any]) -> None:
    call("before-agent-create")
    cleared, watched = asked
    del cleared["say"]
    assert cleared == {
        "namespace": "shared",
        "release": "traceable-agent",
        "owner": "traceable-kong.test",
        "timeout_seconds": 70,
        "kubeconfig": None,
        "context": None,
    }
    assert watched == "watch"


def test_before_it_is_changed_only_its_rollout_is_watched(asked: list[Any]) -> None:
    call("before-agent-update")
    assert asked == ["watch"]


def test_a_refusal_is_one_message(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise HookFailed("not now")

    monkeypatch.setattr(orphaned_releases, "make_room", refuse)
    with pytest.raises(pulumi.RunError, match=r"^not now$"):
        call("before-agent-create")
    assert asked == []
