"""Text that others wrote reaches a terminal on one line, without effect, and in no command.

It is planted in events, statuses, records, Helm's documents, Kong's answers and the API server's messages.
"""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.common.pulumi_config import Given, given
from tests.fakes import preflight_cluster
from tests.fakes.admin_api import Admin, serving
from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.plans import plan
from tests.hooks.stack import target
from tests.hooks.test_preflight_run import run_preflight
from tests.hooks.test_stack_hooks import Steps, call, gateway_hooks
from traceable_kong.cluster import kubernetes_client
from traceable_kong.command_line import verify_command
from traceable_kong.command_line.output_formats import FORMATS
from traceable_kong.common.safe_text import printable
from traceable_kong.common.wording import Wording
from traceable_kong.deployment_patch.patching import PatchFailed
from traceable_kong.deployment_patch.pod_template import Conflict
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.stack_hooks import Hooks
from traceable_kong.kong_admin.admin_client import AdminClient
from traceable_kong.kong_admin.admin_connection import Tls, to_url
from traceable_kong.kong_admin.admin_errors import AdminError
from traceable_kong.plugin.archive_entry import RockError
from traceable_kong.verification import verifier
from traceable_kong.verification.report import Check, Report

PLANTED = "x'; reboot #\x1b[2J\x9b1m\r\nerror: forged\u2028line\u202e\u200b$(id) <{%fg 9%}>"

Said = list[str]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Said:
    lines: Said = []
    for name in ("info", "warn", "error", "debug"):
        monkeypatch.setattr(pulumi.log, name, lambda line, *_, **__: lines.append(line))
    return lines


def harmless(text: str, *, lines: int | None = None) -> None:
    """Fails if the text acts on a terminal or the engine, or if what was planted starts a line."""
    for line in text.split("\n"):
        assert line.isprintable(), line
        assert "<{%" not in line and "%}>" not in line
        assert not line.lstrip().startswith("error: forged")
    assert lines is None or len(text.split("\n")) == lines


@pytest.mark.parametrize(
    "error",
    [
        AdminError,
        Conflict,
        PatchFailed,
        HookFailed,
        RockError,
        kubernetes_client.Unreachable,
        lambda text: kubernetes_client.ApiError(0, "", text),
    ],
)
def test_errors_of_the_program(error: Callable[..., Exception]) -> None:
    problem = error(PLANTED, PLANTED) if error is Conflict else error(PLANTED)
    harmless(str(problem), lines=1)


def report(text: str, *, ok: bool = False) -> Report:
    check = Check(pod=text, name="plugin", ok=ok, expected=text, found=text, fix=text)
    whole = Check(pod="", name=text, ok=ok, expected=text, found=text, fix=text)
    return Report(
        name=text,
        checks=(check, whole),
        warnings=(text,),
        notes=(text,),
        not_checked=(text,),
        cause=text,
        subject=text,
    )


@pytest.mark.parametrize("ok", [False, True])
def test_a_report(ok: bool) -> None:
    for exit_ in (Report.text, Report.table):
        plain, planted = exit_(report("x", ok=ok)), exit_(report(PLANTED, ok=ok))
        harmless(planted, lines=len(plain.split("\n")))
    assert json.dumps(report(PLANTED).document()).isascii()
    assert report(PLANTED).document()["cause"] == PLANTED


@pytest.mark.parametrize("ok", [False, True])
def test_the_verification_of_an_update(ok: bool, monkeypatch: pytest.MonkeyPatch, logged: Said) -> None:
    monkeypatch.setattr(verifier, "verify_gateway", lambda *_, **__: report(PLANTED, ok=ok))
    made = _hooks()
    if ok:
        made.verify()
        assert len(logged) == 4
    else:
        with pytest.raises(pulumi.RunError) as failed:
            made.verify()
        logged.append(str(failed.value))
    for said in logged:
        harmless(said)


def _hooks() -> Hooks:
    """Hooks without the hook for names, which needs an engine."""
    made = object.__new__(Hooks)
    made._plan = plan()
    made._cluster = target(FakeKubernetes())
    made._monitors = {}
    made._wording = Wording(options="")
    return made


@pytest.mark.parametrize(
    "problem",
    [HookFailed(PLANTED), kubernetes_client.Unreachable(PLANTED), kubernetes_client.ApiError(403, "", PLANTED)],
)
def test_a_hook_that_fails(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    Steps(monkeypatch).problem = ("require_injection_where_requested", problem)
    with pytest.raises(pulumi.RunError) as refused:
        call(gateway_hooks(), "traceable-before-gateway-update")
    harmless(str(refused.value), lines=1)


def test_a_rollout_that_is_watched(logged: Said) -> None:
    made = _hooks()

    class Loop:
        def call_soon_threadsafe(self, say: Callable[[str], None], line: str) -> None:
            say(line)

    made._loop = Loop()  # type: ignore[assignment]
    made._warn(f"Rollout of deployment kong/kong is blocked: {PLANTED}")
    (line,) = logged
    harmless(line, lines=1)


@pytest.mark.parametrize(
    "problem", [kubernetes_client.ApiError(403, "", PLANTED), kubernetes_client.Unreachable(PLANTED)]
)
@pytest.mark.parametrize("arguments", [("--output", output) for output in FORMATS])
def test_verify(
    problem: Exception, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def connect(**_: object) -> None:
        raise problem

    monkeypatch.setattr(verify_command, "connect", connect)
    assert verify_command.main(["--namespace", "kong", *arguments], command="verify.py") == 2
    shown = capsys.readouterr()
    harmless(shown.out)
    harmless(shown.err)


def test_what_kong_answers() -> None:
    with serving() as admin, pytest.raises(AdminError) as refused:
        admin.answers.append((400, {"message": PLANTED}))
        _client(admin).root()
    harmless(str(refused.value), lines=1)


def _client(admin: Admin) -> AdminClient:
    return AdminClient(to_url(admin.url, Tls()), retries=False)


Cluster = preflight_cluster.FakeKubernetes

TARGETS: dict[str, tuple[Callable[[Cluster], None], dict[str, Any]]] = {}


def place(**changes: Any) -> Callable[[Callable[[Cluster], None]], Callable[[Cluster], None]]:
    """A place in the cluster where others write, and the config with which preflight reads it."""

    def add(plant: Callable[[Cluster], None]) -> Callable[[Cluster], None]:
        TARGETS[plant.__name__] = (plant, changes)
        return plant

    return add


@place()
def release_in_the_record(cluster: Cluster) -> None:
    preflight_cluster.put_record(cluster, release=PLANTED)


@place(**preflight_cluster.EXISTING)
def deployment_in_the_record(cluster: Cluster) -> None:
    preflight_cluster.put_record(cluster, deployment=PLANTED)


@place()
def class_in_the_record(cluster: Cluster) -> None:
    preflight_cluster.put_record(cluster, release="quickstart", ingressClass=PLANTED)
    preflight_cluster.put_plugin(cluster)


@place()
def database_in_the_record(cluster: Cluster) -> None:
    preflight_cluster.put_record(cluster, release="quickstart", database=PLANTED)


@place()
def database_of_the_pods(cluster: Cluster) -> None:
    preflight_cluster.put_kong(cluster, preflight_cluster.container(KONG_DATABASE=PLANTED))


@place(agent={"protect": True})
def protected_agent_in_the_record(cluster: Cluster) -> None:
    preflight_cluster.put_record(cluster, release="quickstart", protected="agent", agentNamespace=PLANTED)


@place(**preflight_cluster.UNINSTALLED)
def protected_agent_of_an_uninstalled_stack(cluster: Cluster) -> None:
    preflight_cluster.put_record(
        cluster, release="quickstart", protected=f"agent,kong,{PLANTED}", agentNamespace=PLANTED
    )


@place(rock=preflight_cluster.rock_of("2.0.0-1"))
def protected_parts_in_the_record(cluster: Cluster) -> None:
    preflight_cluster.put_record(cluster, release="quickstart", protected=f"kong,{PLANTED}", rockVersion=PLANTED)
    preflight_cluster.put_plugin(cluster, config={"mode": "sync"})


@place()
def rock_in_the_record(cluster: Cluster) -> None:
    preflight_cluster.put_record(cluster, release="quickstart", rockVersion=PLANTED, rockSha256=PLANTED)
    preflight_cluster.put_plugin(cluster, config={"max_body_size_bytes": 1})


@place(kong={"adopt": True})
def version_of_an_unmanaged_chart(cluster: Cluster) -> None:
    cluster.release("kong", "quickstart", ["deployed"], owner=None, chart=f"kong-{PLANTED.replace('-', '')}")


@place()
def release_that_has_kongs_roles(cluster: Cluster) -> None:
    notes = {"meta.helm.sh/release-name": PLANTED, "meta.helm.sh/release-namespace": PLANTED}
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/quickstart-kong"
    cluster.put(path, {"metadata": {"annotations": notes}})


@place()
def mark_of_another_stack(cluster: Cluster) -> None:
    cluster.release("kong", "quickstart", ["deployed"], owner=PLANTED)


@place()
def message_of_the_server(cluster: Cluster) -> None:
    cluster.create_answer = kubernetes_client.ApiError(403, "", PLANTED)
    cluster.denied["/apis/configuration.konghq.com/v1/kongclusterplugins"] = 403


@pytest.mark.parametrize("where", TARGETS)
def test_what_preflight_prints_and_the_commands_in_it(
    where: str, monkeypatch: pytest.MonkeyPatch, logged: Said
) -> None:
    plant, changes = TARGETS[where]
    cluster = Cluster()
    cluster.put("/api/v1/namespaces/kong", owned=True)
    plant(cluster)
    made = plan(**changes)
    found = preflight_cluster.examined(cluster, of=made)
    said = [*found.errors, *found.warnings]
    assert said, "it is seen"

    try:
        run_preflight(monkeypatch, target(cluster), made)
    except pulumi.RunError as refused:
        logged.append(str(refused))
    assert logged
    for text in logged:
        harmless(text)
        for command in commands(text):
            words = shlex.split(command)
            assert "reboot" not in words and not any(word.endswith(";") for word in words), command


def commands(text: str) -> list[str]:
    return re.findall(r"`((?:printf|pulumi|kubectl|helm|curl) [^`]*)`", text)


def test_a_value_is_one_word_of_its_command(tmp_path: Path) -> None:
    cluster = Cluster()
    release_in_the_record(cluster)
    (finding,) = preflight_cluster.examined(cluster).errors
    command = commands(printable(finding.fix))[0]
    assert given(command, tmp_path) == Given("set", ("kong", "release"), PLANTED, secret=False)
