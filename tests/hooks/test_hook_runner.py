"""The steps of each hook, in order, and that a failed step stops the `up` with one message."""

import asyncio
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from tests.fakes.recording import Recording, record
from tests.hooks.test_injection_dry_run import probe
from tests.verification.gateway import desired
from traceable_kong.cluster.kubernetes_client import KubernetesClient, Unreachable
from traceable_kong.hooks import orphaned_releases, plugin_removal, rollout_monitor
from traceable_kong.hooks.gateway_hooks import Gates, GatesArgs
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.injection_dry_run import InjectionDryRun

ARGS: Any = None


class Asked:
    """Records the steps that ran; `problem` is the step that fails, and its error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self.api = FakeKubernetes()
        self.problem: tuple[str, Exception] | None = None
        for question in ("require_policy_enforced", "require_injection", "require_injection_where_requested"):
            monkeypatch.setattr(InjectionDryRun, question, self._asked(question))
        monkeypatch.setattr(orphaned_releases, "remove_orphaned_release", self._asked("remove_orphaned_release"))
        monkeypatch.setattr(orphaned_releases, "require_database_password", self._asked("require_database_password"))
        monkeypatch.setattr(plugin_removal, "remove_plugin", self._asked("remove_plugin"))
        monkeypatch.setattr(rollout_monitor.RolloutMonitor, "start", self._asked("watch"))

    def _asked(self, name: str) -> Callable[..., None]:
        def question(*arguments: Any, **_: Any) -> None:
            assert threading.current_thread() is not threading.main_thread(), "the program's event loop continues"
            self.names.append(name)
            if self.problem and self.problem[0] == name:
                raise self.problem[1]

        return question


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(monkeypatch)


def gates(
    asked: Asked, *, installed: bool = True, release: str = "edge", owners_values: dict[str, Any] | None = None
) -> Recording:
    args = GatesArgs(
        owner="traceable-kong.test",
        expectation=desired(installed=installed, release=release),
        probe=probe(),
        timeout_seconds=60,
        agent_release="traceable-agent",
        owners_values=owners_values,
    )
    return record(
        lambda: Gates(
            args=args, cluster=SimpleNamespace(api=asked.api, kubeconfig=None, context=None, command_options="")
        )
    )


def call(made: Recording, name: str) -> None:
    async def called() -> None:
        await made.hooks[name].callback(ARGS)  # type: ignore[misc]

    asyncio.run(called())


@pytest.mark.parametrize(
    ("hook", "installed", "questions"),
    [
        ("before-database-create", True, ["require_database_password"]),
        ("before-agent-create", True, ["remove_orphaned_release", "watch"]),
        ("before-agent-update", True, ["watch"]),
        ("before-gateway-create", True, ["remove_orphaned_release", "watch"]),
        ("before-gateway-update", True, ["require_injection_where_requested", "watch"]),
        ("before-gateway-create", False, ["remove_orphaned_release", "watch"]),
        ("before-gateway-update", False, ["remove_plugin", "watch"]),
        ("before-tme-label-create", True, ["require_policy_enforced"]),
        ("before-tme-label-update", True, ["require_policy_enforced"]),
        ("before-tme-annotation-create", True, ["require_injection", "watch"]),
        ("before-tme-annotation-update", True, ["require_injection", "watch"]),
    ],
)
def test_the_steps_of_each_hook(asked: Asked, hook: str, installed: bool, questions: list[str]) -> None:
    call(gates(asked, installed=installed), hook)
    assert asked.names == questions


@pytest.mark.parametrize(("hook", "release"), [("gateway", "edge"), ("agent", "traceable-agent")])
def test_an_orphaned_release_is_removed_within_the_timeout_of_a_rollout(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, hook: str, release: str
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(orphaned_releases, "remove_orphaned_release", lambda _, **arguments: told.append(arguments))
    call(gates(asked), f"before-{hook}-create")
    assert [(item["release"], item["owner"], item["timeout_seconds"]) for item in told] == [
        (release, "traceable-kong.test", 60)
    ]


def test_pods_of_an_existing_kong_may_already_request_the_tme(asked: Asked) -> None:
    call(gates(asked, release=None), "before-gateway-create")
    assert asked.names == ["require_injection_where_requested", "watch"]


@pytest.mark.parametrize("occasion", ["create", "update"])
def test_files_that_the_owner_mounts_are_checked_first(asked: Asked, occasion: str) -> None:
    with pytest.raises(pulumi.RunError, match="Deployment gw/edge-kong does not exist"):
        call(gates(asked, release=None, owners_values={}), f"before-tme-label-{occasion}")
    assert asked.names == []


@pytest.mark.parametrize("problem", [HookFailed("not now"), Unreachable("not now"), forbidden("not now")])
def test_a_failed_step_stops_the_update_with_its_own_message(asked: Asked, problem: Exception) -> None:
    asked.problem = ("require_injection_where_requested", problem)
    with pytest.raises(pulumi.RunError, match=r"^not now$"):
        call(gates(asked), "before-gateway-update")
    assert asked.names == ["require_injection_where_requested"], "later steps do not start"


def test_the_cluster_is_first_read_when_a_step_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unknown:
        kubeconfig = context = None
        command_options = ""

        @property
        def api(self) -> KubernetesClient:
            raise pulumi.RunError("no such cluster")

    args = GatesArgs(owner="o", expectation=desired(), probe=probe(), timeout_seconds=60, agent_release="a")
    made = record(lambda: Gates(args=args, cluster=Unknown()))
    with pytest.raises(pulumi.RunError, match="no such cluster"):
        call(made, "before-tme-label-create")


LINE = "Rollout of deployment gw/edge-kong is blocked: denied"


@pytest.fixture
def blocked_rollout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout_monitor, "INTERVAL_SECONDS", 0.005)
    monkeypatch.setattr(rollout_monitor.RolloutMonitor, "reasons", lambda self: ["denied"])


def watch_a_rollout(*, then: Callable[[], bool]) -> None:
    """Runs a program whose hook starts the rollout monitor, until `then` returns True."""

    async def program() -> None:
        args = GatesArgs(owner="o", expectation=desired(), probe=probe(), timeout_seconds=0.1, agent_release="a")
        cluster = SimpleNamespace(api=FakeKubernetes(), kubeconfig=None, context=None, command_options="")
        (hook,) = Gates(args=args, cluster=cluster).gateway.before_create or []
        await hook(ARGS)  # type: ignore[misc]
        for _ in range(1_000):
            if then():
                return
            await asyncio.sleep(0.005)

    task: list[asyncio.Future[None]] = []
    record(lambda: pulumi.Output.from_input(task.append(asyncio.ensure_future(program())) or task[0]).apply(str))


@pytest.mark.usefixtures("blocked_rollout")
def test_a_reason_is_logged_as_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    watch_a_rollout(then=lambda: LINE in caplog.messages)
    assert [item.levelname for item in caplog.records if item.message == LINE] == ["WARNING"]


@pytest.mark.filterwarnings("error")
@pytest.mark.usefixtures("blocked_rollout")
def test_a_monitor_that_outlives_the_program_is_silent() -> None:
    earlier = set(threading.enumerate())
    watch_a_rollout(then=lambda: True)
    for thread in set(threading.enumerate()) - earlier:
        if thread.name == "rollout monitor":
            thread.join(5)
            assert not thread.is_alive()
