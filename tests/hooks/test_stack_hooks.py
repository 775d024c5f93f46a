"""The steps of each hook, in order, and that a failed step stops the `up` with one message."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from tests.fakes.program import Program
from tests.fakes.recording import Recording, record
from tests.hooks.stack import EXISTING_KONG, UNINSTALLED, plan, target
from traceable_kong.cluster.kubernetes_client import KubernetesClient, Unreachable
from traceable_kong.cluster.target import ClusterError, ClusterTarget
from traceable_kong.common.wording import Wording
from traceable_kong.hooks import injection_dry_run, mounted_files, orphaned_releases, plugin_removal, rollout_monitor
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.stack_hooks import Hooks
from traceable_kong.verification import verifier
from traceable_kong.verification.report import Check, Report

ARGS: Any = None
AGENT_ONLY: dict[str, Any] = {"gateway": "false", "plugin": None}
MANAGED_POSTGRES = {"database": "postgres", "postgres": {"managed": True}}


class Steps:
    """Records the steps that ran; `problem` is the step that fails, and its error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self.arguments: list[tuple[Any, ...]] = []
        self.problem: tuple[str, Exception] | None = None
        for module, name in (
            (injection_dry_run, "require_policy_enforced"),
            (injection_dry_run, "require_injection"),
            (injection_dry_run, "require_injection_where_requested"),
            (mounted_files, "require_files_mounted_by_owner"),
            (orphaned_releases, "remove_orphaned_release"),
            (orphaned_releases, "require_database_password"),
            (plugin_removal, "remove_plugin"),
            (rollout_monitor.RolloutMonitor, "start"),
        ):
            monkeypatch.setattr(module, name, self._recorded(name))

    def _recorded(self, name: str) -> Callable[..., None]:
        def step(*arguments: Any, **_: Any) -> None:
            assert threading.current_thread() is not threading.main_thread(), "the program's event loop continues"
            self.names.append(name)
            self.arguments.append(arguments)
            if self.problem and self.problem[0] == name:
                raise self.problem[1]

        return step


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


def call(made: Recording, hook: str) -> None:
    async def called() -> None:
        await made.hooks[hook].callback(ARGS)  # type: ignore[misc]

    asyncio.run(called())


def run(program: Program, monkeypatch: pytest.MonkeyPatch, hook: str, **config: Any) -> None:
    """Runs a hook of the whole program on an empty cluster."""
    made = program.up(**config)
    monkeypatch.setattr(ClusterTarget, "api", FakeKubernetes())
    call(made, hook)


@pytest.mark.parametrize(
    ("hook", "config", "names"),
    [
        ("traceable-before-database-create", {"kong": MANAGED_POSTGRES}, ["require_database_password"]),
        ("traceable-before-agent-create", {}, ["remove_orphaned_release", "start"]),
        ("traceable-before-agent-update", {}, ["start"]),
        ("traceable-before-agent-create", AGENT_ONLY, ["remove_orphaned_release", "start"]),
        ("traceable-before-agent-update", AGENT_ONLY, ["start"]),
        ("traceable-before-gateway-create", {}, ["remove_orphaned_release", "start"]),
        ("traceable-before-gateway-update", {}, ["require_injection_where_requested", "start"]),
        ("traceable-before-gateway-create", UNINSTALLED, ["remove_orphaned_release", "start"]),
        ("traceable-before-gateway-update", UNINSTALLED, ["remove_plugin", "start"]),
        ("traceable-before-tme-label-create", {}, ["require_files_mounted_by_owner", "require_policy_enforced"]),
        ("traceable-before-tme-label-update", {}, ["require_files_mounted_by_owner", "require_policy_enforced"]),
        ("traceable-before-tme-annotation-create", {}, ["require_injection", "start"]),
        ("traceable-before-tme-annotation-update", {}, ["require_injection", "start"]),
    ],
)
def test_the_steps_of_each_hook(
    program: Program,
    steps: Steps,
    monkeypatch: pytest.MonkeyPatch,
    hook: str,
    config: dict[str, Any],
    names: list[str],
) -> None:
    run(program, monkeypatch, hook, **config)
    assert steps.names == names


@pytest.mark.parametrize("occasion", ["create", "update"])
def test_pods_of_an_existing_kong_may_already_request_the_tme(
    program: Program, steps: Steps, monkeypatch: pytest.MonkeyPatch, occasion: str
) -> None:
    monkeypatch.setattr(ClusterTarget, "selector_of", lambda *_: {"matchLabels": {"app": "edge"}})
    kong = {key: value for key, value in EXISTING_KONG.items() if value is not None}
    run(program, monkeypatch, f"traceable-before-gateway-{occasion}", kong=kong)
    assert steps.names == ["require_injection_where_requested", "start"]


@pytest.mark.parametrize(("hook", "release", "timeout"), [("gateway", "edge", 60), ("agent", "traceable-agent", 70)])
def test_an_orphaned_release_is_removed_within_its_own_timeout(
    program: Program, steps: Steps, monkeypatch: pytest.MonkeyPatch, hook: str, release: str, timeout: int
) -> None:
    config = {"kong": {"release": "edge", "timeoutSeconds": 60}, "agent": {"timeoutSeconds": 70}}
    run(program, monkeypatch, f"traceable-before-{hook}-create", **config)
    _, found, plan = steps.arguments[0]
    assert (found.name, found.timeout_seconds, plan) == (release, timeout, program.plans[-1])


@pytest.mark.parametrize("problem", [HookFailed("not now"), Unreachable("not now"), forbidden("not now")])
def test_a_failed_step_stops_the_update_with_its_own_message(steps: Steps, problem: Exception) -> None:
    steps.problem = ("require_injection_where_requested", problem)
    with pytest.raises(pulumi.RunError, match=r"^not now$"):
        call(gateway_hooks(), "traceable-before-gateway-update")
    assert steps.names == ["require_injection_where_requested"], "later steps do not start"


def hooks_of(cluster: ClusterTarget) -> Hooks:
    wording = Wording(options=cluster.command_options)
    return Hooks(plan(), cluster, name="traceable", opts=pulumi.ResourceOptions(), wording=wording)


def gateway_hooks(cluster: ClusterTarget | None = None) -> Recording:
    """The hook before an update of the gateway, alone."""

    def program() -> None:
        hooks = hooks_of(cluster or target(FakeKubernetes()))
        hooks.before("gateway", hooks.watch_gateway, update=[hooks.require_injection_where_requested])

    return record(program)


def test_the_cluster_is_first_read_when_a_step_runs() -> None:
    class Unknown(ClusterTarget):
        @property
        def api(self) -> KubernetesClient:
            raise ClusterError("no such cluster")

    made = gateway_hooks(Unknown(kubeconfig=None, context=None))
    with pytest.raises(pulumi.RunError, match="no such cluster"):
        call(made, "traceable-before-gateway-update")


def test_commands_in_a_message_are_for_the_clusters_context(steps: Steps) -> None:
    steps.problem = ("require_injection_where_requested", HookFailed("run `kubectl get pods`"))
    with pytest.raises(pulumi.RunError, match="kubectl --context prod get pods"):
        call(gateway_hooks(target(FakeKubernetes(), context="prod")), "traceable-before-gateway-update")


LINE = "Rollout of deployment gw/edge-kong is blocked: denied"


@pytest.fixture
def blocked_rollout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout_monitor, "INTERVAL_SECONDS", 0.005)
    monkeypatch.setattr(rollout_monitor.RolloutMonitor, "reasons", lambda self: ["denied"])


def watch_a_rollout(*, then: Callable[[], bool]) -> None:
    """Runs a program whose hook starts the rollout monitor, until `then` returns True."""

    async def program() -> None:
        hooks = hooks_of(target(FakeKubernetes()))
        (hook,) = hooks.before("gateway", hooks.watch_gateway).before_create or []
        await hook(ARGS)  # type: ignore[misc]
        for _ in range(1_000):
            if then():
                return
            await asyncio.sleep(0.005)

    task: list[asyncio.Future[Any]] = []

    def start() -> pulumi.Output[str]:
        task.append(asyncio.ensure_future(program()))
        return pulumi.Output.from_input(task[0]).apply(str)

    record(start)


@pytest.mark.usefixtures("blocked_rollout")
def test_a_reason_is_logged_as_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    watch_a_rollout(then=lambda: LINE in caplog.messages)
    assert [item.levelname for item in caplog.records if item.message == LINE] == ["WARNING"]


@pytest.mark.usefixtures("blocked_rollout")
def test_nothing_is_monitored_after_the_last_rollout(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Report(name="gw", checks=(Check(pod="", name="ready", ok=True, expected="", found=""),))
    monkeypatch.setattr(verifier, "verify_gateway", lambda *_: good)
    earlier = set(threading.enumerate())

    async def program() -> None:
        hooks = hooks_of(target(FakeKubernetes()))
        (hook,) = hooks.before("gateway", hooks.watch_gateway).before_create or []
        await hook(ARGS)  # type: ignore[misc]
        (monitor,) = [item for item in set(threading.enumerate()) - earlier if item.name == "rollout monitor"]
        await asyncio.sleep(0.02)
        assert monitor.is_alive()
        await asyncio.to_thread(hooks.verify)
        await asyncio.to_thread(monitor.join, 5)
        assert not monitor.is_alive()

    def start() -> pulumi.Output[None]:
        running: asyncio.Future[Any] = asyncio.ensure_future(program())
        return pulumi.Output.from_input(running)

    record(start)


@pytest.mark.filterwarnings("error")
@pytest.mark.usefixtures("blocked_rollout")
def test_a_monitor_that_outlives_the_program_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout_monitor.RolloutMonitor, "reasons", lambda self: [f"denied at {time.monotonic()}"])
    earlier = set(threading.enumerate())
    watch_a_rollout(then=lambda: True)
    for thread in set(threading.enumerate()) - earlier:
        if thread.name == "rollout monitor":
            thread.join(5)
            assert not thread.is_alive()


def test_the_verification_shares_what_preflight_has_read_until_something_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[KubernetesClient] = []
    monkeypatch.setattr(verifier, "verify_gateway", lambda api, desired: given.append(api))
    cluster = target(FakeKubernetes())
    made: list[Hooks] = []
    record(lambda: made.append(hooks_of(cluster)))
    made[0]._report()
    asyncio.run(made[0]._outdate_reads(ARGS))
    made[0]._report()
    assert given == [cluster.reads, cluster.api]


def test_every_resource_that_changes_says_so(program: Program) -> None:
    made = program.up(kong=MANAGED_POSTGRES)
    resources = [
        item for item in made.registrations if not (item.read or item.type.startswith(("traceable-kong:", "pulumi:")))
    ]
    assert len(resources) > 10
    for item in resources:
        for occasion in ("before_create", "before_update"):
            assert "traceable-before-change" in item.hooks[occasion], item.name
