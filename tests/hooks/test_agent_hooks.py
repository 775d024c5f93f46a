"""The hooks of an agent-only stack."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.plans import plan
from tests.fakes.recording import record
from traceable_kong.hooks import orphaned_releases, rollout_monitor
from traceable_kong.hooks.agent_hooks import AgentGates, AgentGatesArgs
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.plan.model import ManagedAgent

ARGS: Any = None


def call(hook: str) -> None:
    cluster = SimpleNamespace(api=FakeKubernetes(), kubeconfig=None, context=None, command_options=" --context prod")
    agent = plan(gateway=False, plugin=None, agent={"namespace": "shared"}).agent
    assert isinstance(agent, ManagedAgent)
    args = AgentGatesArgs(owner="traceable-kong.test", expectation=agent, timeout_seconds=70)
    made = record(lambda: AgentGates(args=args, cluster=cluster))
    asyncio.run(made.hooks[hook].callback(ARGS))  # type: ignore[arg-type]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The steps that ran, in order."""
    names: list[Any] = []
    monkeypatch.setattr(rollout_monitor.RolloutMonitor, "start", lambda self: names.append("watch"))
    monkeypatch.setattr(orphaned_releases, "remove_orphaned_release", lambda _, **arguments: names.append(arguments))
    return names


def test_before_the_release_is_created_an_orphaned_one_is_removed(asked: list[Any]) -> None:
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


def test_before_the_release_is_updated_only_its_rollout_is_watched(asked: list[Any]) -> None:
    call("before-agent-update")
    assert asked == ["watch"]


def test_a_failed_step_is_one_message(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise HookFailed("not now")

    monkeypatch.setattr(orphaned_releases, "remove_orphaned_release", refuse)
    with pytest.raises(pulumi.RunError, match=r"^not now$"):
        call("before-agent-create")
    assert asked == []
