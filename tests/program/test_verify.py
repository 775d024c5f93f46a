"""verify.py: its output, its options and its exit codes."""

import html
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.fakes.admin_api import serving
from tests.fakes.admin_api_cluster import add_secret
from tests.fakes.clock import Clock
from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from tests.fakes.protected_cluster import DEPLOYMENT, cluster
from tests.fakes.protected_gateway import IN_DATABASE, TARGET, desired, instance
from traceable_kong.cluster import kubernetes_client
from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.cluster.ownership import STACK_LABEL
from traceable_kong.command_line import desired_source, verify_command
from traceable_kong.common import waiting
from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.state_record import record_digest, state_data
from traceable_kong.verification import verifier
from traceable_kong.verification.report import Check, Report

RECORD = "/api/v1/namespaces/gw/configmaps/traceable-installation"


STACK_ID = "traceable-kong.dev-0a1b2c3d"


def labelled(owner: str = STACK_ID) -> dict[str, object]:
    return {"labels": {STACK_LABEL: owner}}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeKubernetes:
    """A gateway that is as its record says; every kubeconfig leads to it."""
    made = cluster()
    made.put(RECORD, {"data": {**state_data(desired()), "mode": "sync"}, "metadata": labelled()})
    monkeypatch.setattr(verify_command, "connect", lambda **_: made)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(verify_command, "time", made)
    monkeypatch.setattr(waiting, "time", made)
    return made


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    return verify_command.main(["--namespace", "gw", *arguments], command="verify.py")


def break_plugin(fake: FakeKubernetes) -> None:
    fake.put(RECORD, {"data": state_data(desired(version="9.9.9"))})


def test_as_recorded(fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch) == 0
    output = capsys.readouterr()
    assert "gw-1  ok     ok     ok   ok      protected" in output.out
    assert "gw/edge-kong: protected. One serving pod, every check holds." in output.out
    assert output.err == ""


def test_a_kong_with_a_database_is_asked_with_its_secrets(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as admin:
        admin.token = "planted-token"
        admin.entities[TARGET.id] = instance(id=TARGET.id, tags=[TARGET.tag])
        fake.listeners["gw-1", 8001] = admin.serve
        fake.put(RECORD, {"data": state_data(desired(**IN_DATABASE))})
        add_secret(fake, "kong-admin", token="planted-token")
        named = ("--admin-token-secret", "kong-admin/token")
        assert run(monkeypatch, *named) == 0
        assert run(monkeypatch) == 2
        admin.entities.clear()
        assert run(monkeypatch, *named) == 1
    output = capsys.readouterr()
    assert "Kong lists no traceable" in output.out and "planted" not in output.out + output.err
    assert "names the Secret kong-admin" in output.err


def asked_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    return verify_command.main([*arguments], command="verify.py")


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The outputs of the stack `dev`."""
    data = {**state_data(desired()), "mode": "sync"}
    found = {"stackId": STACK_ID, "namespace": "gw", "deployment": "edge-kong", "recordDigest": record_digest(data)}

    def of(stack: str, name: str | None, *, folder: Path | None) -> dict[str, str]:
        assert (stack, name or "agent", folder) == ("dev", "agent", None)
        return found

    monkeypatch.setattr(desired_source, "stack_outputs", of)
    return found


def test_a_watch_follows_an_update_of_the_stack(
    fake: FakeKubernetes,
    outputs: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The outputs are read once, and again where the record is another one: another read changes nothing."""
    reads: list[str] = []

    def read(stack: str, *_: object, **__: object) -> dict[str, str]:
        reads.append(stack)
        return dict(outputs)

    monkeypatch.setattr(desired_source, "stack_outputs", read)
    updated = {**state_data(desired()), "mode": "sync", "rockVersion": "2.1.2-2"}
    forged = {**updated, "enabled": "false"}
    observations = 0

    def then(_: float) -> None:
        nonlocal observations
        observations += 1
        if observations == 2:
            fake.put(RECORD, {"data": updated, "metadata": labelled()})
            outputs["recordDigest"] = record_digest(updated)
        if observations == 4:
            fake.put(RECORD, {"data": forged, "metadata": labelled()})
        if observations == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", then)
    assert asked_of(monkeypatch, "--stack", "dev", "--watch") == 2
    shown = capsys.readouterr().out
    assert len(reads) == 3 and "5 observations, 1 of them not observed" in shown and "it was changed" in shown


def test_a_changed_record_at_the_start_is_refused_at_once(
    fake: FakeKubernetes, outputs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []

    def read(stack: str, *_: object, **__: object) -> dict[str, str]:
        reads.append(stack)
        return {**outputs, "recordDigest": "another"}

    monkeypatch.setattr(desired_source, "stack_outputs", read)
    assert asked_of(monkeypatch, "--stack", "dev") == 2
    assert len(reads) == 1, "pulumi takes a second or two"


def test_each_observation_of_a_watch_is_a_single_one(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def verify_gateway(*_: object, deadline_seconds: float) -> Report:
        asked.append(deadline_seconds)
        return Report(name="gw/edge-kong", checks=())

    monkeypatch.setattr(verifier, "verify_gateway", verify_gateway)
    monkeypatch.setattr("time.sleep", interrupt)
    assert run(monkeypatch, "--watch") == 1
    assert asked == [0]


def test_the_commands_of_a_report_name_the_cluster(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    break_plugin(fake)
    for output in ("table", "json"):
        assert run(monkeypatch, "--context", "prod", "--wait-seconds", "0", "--output", output) == 1
        assert "`kubectl --context prod " in capsys.readouterr().out


def test_the_record_of_a_stack(
    fake: FakeKubernetes,
    outputs: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert asked_of(monkeypatch, "--stack", "dev") == 0
    assert asked_of(monkeypatch, "--stack", "dev", "--namespace", "gw", "--deployment", "edge-kong") == 0
    assert "was read from the record" not in capsys.readouterr().out

    changed = {**state_data(desired()), "mode": "sync", "enabled": "false"}
    fake.put(RECORD, {"data": changed, "metadata": labelled()})
    assert asked_of(monkeypatch, "--stack", "dev") == 2
    assert "it was changed" in capsys.readouterr().err


def test_the_record_of_a_stack_was_deleted(
    fake: FakeKubernetes,
    outputs: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del fake.objects[RECORD]
    assert asked_of(monkeypatch, "--stack", "dev") == 2
    error = capsys.readouterr().err
    assert "this is not the cluster of stack dev, or the ConfigMap was deleted." in error
    assert "`pulumi up --refresh --stack dev` writes it again." in error and "has succeeded" not in error


def test_commands_name_the_stack(
    fake: FakeKubernetes,
    outputs: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del fake.objects[f"{CLUSTER_PLUGINS}/traceable-plugin"]
    assert asked_of(monkeypatch, "--stack", "dev", "--wait-seconds", "0") == 1
    assert "`pulumi up --refresh --stack dev`" in capsys.readouterr().out

    fake.put(RECORD, {"data": {"mode": "sync"}, "metadata": labelled()})
    outputs["recordDigest"] = record_digest({"mode": "sync"})
    assert asked_of(monkeypatch, "--stack", "dev") == 2
    assert "`pulumi up --stack dev` writes it again." in capsys.readouterr().err


@pytest.mark.parametrize("owner", ["traceable-kong.dev-ffffffff", ""])
def test_the_record_of_another_stack_is_refused(
    fake: FakeKubernetes,
    outputs: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    owner: str,
) -> None:
    data = {**state_data(desired()), "mode": "sync"}
    fake.put(RECORD, {"data": data, "metadata": labelled(owner) if owner else {}})
    assert asked_of(monkeypatch, "--stack", "dev") == 2
    output = capsys.readouterr().err
    assert "in the cluster at https://fake:6443" in output and STACK_ID in output and "--context NAME" in output
    assert owner in output and "is not what stack dev wrote" not in output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--namespace", "other"), "namespace of stack dev is gw"),
        (("--deployment", "x"), "is edge-kong, not x"),
    ],
)
def test_options_that_contradict_the_stack(
    fake: FakeKubernetes,
    outputs: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    text: str,
) -> None:
    assert asked_of(monkeypatch, "--stack", "dev", *arguments) == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "subject"), [((), "Stack dev"), (("--stack-output", "agent"), "Output agent of stack dev")]
)
def test_a_stack_without_a_gateway(
    fake: FakeKubernetes,
    outputs: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    subject: str,
) -> None:
    del outputs["recordDigest"]
    assert asked_of(monkeypatch, "--stack", "dev", *options) == 2
    assert capsys.readouterr().err.startswith(f"error: {subject} has no gateway with Traceable: ")


def test_a_stack_with_the_outputs_in_an_output_of_its_own(
    fake: FakeKubernetes,
    outputs: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outputs.update({"edge": dict(outputs), "host": "a", "agent": {"recordDigest": ""}})
    del outputs["recordDigest"]
    assert asked_of(monkeypatch, "--stack", "dev") == 2
    assert capsys.readouterr().err.endswith("Nothing was verified. Run with --stack-output edge.\n")


def test_a_record_alone_is_trusted_with_a_note(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch) == 0
    assert "note: what must hold was read from the record gw/traceable-installation alone" in capsys.readouterr().out
    assert run(monkeypatch, "--output", "json") == 0
    assert any("--stack NAME" in note for note in json.loads(capsys.readouterr().out)["notes"])
    assert run(monkeypatch, "--deployment", "other") == 2
    assert "not about other" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--namespace", "gw", "--admin-url", "http://kong:8001"),
        ("--namespace", "gw", "--admin-url", "https://me:planted@kong:8444"),
        ("--namespace", "gw", "--admin-token-secret", "no-key"),
        ("--namespace", "gw", "--admin-ca-secret", "a/b/c"),
        ("--stack", "dev", "--admin-url", "https://kong:8444"),
        ("--stack", "dev", "--admin-client-certificate-secret", "c"),
        ("--namespace", "gw", "--stack-output", "x"),
        ("--namespace", "gw", "--interval", "5"),
        ("--namespace", "gw", "--watch", "--interval", "0.5"),
        ("--namespace", "gw", "--watch", "--interval", "nan"),
        ("--namespace", "gw", "--watch", "--wait-seconds", "5"),
        ("--namespace", "gw", "--wait-seconds=-1"),
        ("--namespace", "gw", "--wait-seconds", "inf"),
        ("--namespace", "gw", "--watch", "--output", "junit"),
        ("--namespace", "gw", "--output", "xml"),
        ("--namespace", "gw", "--out", "json"),
        ("--namespace", "gw", "--json"),
    ],
)
def test_options_that_are_refused(
    fake: FakeKubernetes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    with pytest.raises(SystemExit) as ended:
        asked_of(monkeypatch, *arguments)
    assert ended.value.code == 64
    assert "planted" not in capsys.readouterr().err


def test_not_as_recorded(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    break_plugin(fake)
    assert run(monkeypatch, "--wait-seconds", "0") == 1
    output = capsys.readouterr().out
    assert "NOT AS CONFIGURED" in output and "traceable 9.9.9 loaded by this Kong" in output


@pytest.mark.parametrize(("ok", "code"), [(True, 2), (False, 1)])
def test_the_exit_code_if_something_was_not_checked(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ok: bool, code: int
) -> None:
    check = Check(pod="gw-1", name="plugin", ok=ok, expected="on", found="on")
    report = Report(name="gw/edge-kong", checks=(check,), not_checked=("the policy: forbidden",))
    monkeypatch.setattr(verifier, "verify_gateway", lambda *_, **__: report)
    assert run(monkeypatch) == code
    assert "not checked: the policy: forbidden" in capsys.readouterr().out


@pytest.mark.parametrize(("broken", "code"), [(False, 0), (True, 1)])
def test_the_json_output(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], broken: bool, code: int
) -> None:
    if broken:
        break_plugin(fake)
    assert run(monkeypatch, "--output", "json", "--wait-seconds", "0") == code
    document = json.loads(capsys.readouterr().out)
    assert (document["gateway"], document["ok"]) == ("gw/edge-kong", not broken)


def a_problem(path: str, problem: Exception) -> Callable[[FakeKubernetes], None]:
    return lambda fake: fake.problems.update({path: problem})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda fake: fake.objects.pop(RECORD), "ConfigMap gw/traceable-installation does not exist"),
        (
            lambda fake: fake.put(RECORD, {"data": {"mode": "sync"}}),
            "The record gw/traceable-installation was not written by this version",
        ),
        (lambda fake: fake.put(RECORD, {}), "The record gw/traceable-installation was not written by this version"),
        (a_problem(RECORD, forbidden("configmaps is forbidden")), "configmaps is forbidden"),
        (a_problem(DEPLOYMENT, forbidden("deployments is forbidden")), "deployments is forbidden"),
        (a_problem(RECORD, Unreachable("https://a:6443: refused")), "https://a:6443: refused"),
    ],
)
@pytest.mark.parametrize("output", ["table", "json", "junit", "markdown"])
def test_the_exit_code_if_the_verification_could_not_run(
    fake: FakeKubernetes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[FakeKubernetes], object],
    text: str,
    output: str,
) -> None:
    change(fake)
    assert run(monkeypatch, "--wait-seconds", "0", "--output", output) == 2
    found = capsys.readouterr()
    assert found.err.startswith("error: ") and text in found.err
    if output == "json":
        document = json.loads(found.out)
        assert document["ok"] is False and document["exit_code"] == 2 and text in document["error"]
    elif output == "junit":
        (error,) = ElementTree.fromstring(found.out.partition("\n")[2]).iter("error")
        assert text in error.attrib["message"]
    elif output == "markdown":
        assert text in html.unescape(found.out) and "Exit code 2: something could not be observed" in found.out
    else:
        assert found.out == ""


@pytest.mark.parametrize("problem", [Unreachable("https://a:6443: refused"), ApiError(503, "", "later")])
def test_an_api_server_that_is_away_at_the_start_is_waited_for(
    fake: FakeKubernetes,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    problem: Exception,
) -> None:
    fake.problems[RECORD] = problem
    clock.then = lambda now: fake.problems.pop(RECORD, None) if now >= 3 else None
    assert run(monkeypatch, "--wait-seconds", "5") == 0
    output = capsys.readouterr()
    assert clock.now == 3 and "protected" in output.out
    assert output.err == f"{problem}\nTrying again until --wait-seconds have passed.\n"


def test_the_whole_verification_has_one_deadline(
    fake: FakeKubernetes, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    break_plugin(fake)
    fake.problems[RECORD] = Unreachable("away")
    clock.then = lambda now: fake.problems.pop(RECORD, None) if now >= 3 else None
    assert run(monkeypatch, "--wait-seconds", "7") == 1
    assert clock.now == 7


def test_an_api_server_that_stays_away_is_an_error_at_the_deadline(
    fake: FakeKubernetes, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.problems[RECORD] = Unreachable("away")
    assert run(monkeypatch, "--wait-seconds", "7") == 2
    assert clock.now == 7 and capsys.readouterr().err.endswith("error: away\n")


def test_a_refused_permission_is_not_waited_for(
    fake: FakeKubernetes, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.problems[RECORD] = forbidden("configmaps is forbidden")
    assert run(monkeypatch) == 2
    assert clock.now == 0 and capsys.readouterr().err == "error: configmaps is forbidden\n"


def test_a_kubeconfig_that_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--kubeconfig", str(tmp_path / "none")) == 2
    shown = capsys.readouterr().err
    assert f"({tmp_path / 'none'}, named by --kubeconfig): it does not exist. Nothing was verified. Name " in shown


def test_kubeconfig_and_context_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {}

    def connect(**arguments: str | None) -> None:
        named.update(arguments)
        raise Unreachable("stop")

    monkeypatch.setattr(verify_command, "connect", connect)
    assert run(monkeypatch, "--kubeconfig", "file", "--context", "c") == 2
    assert (named["kubeconfig"], named["context"]) == ("file", "c")


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [([], 30), (["--wait-seconds", "0"], 0), (["--wait-seconds", "10"], 10)],
)
def test_wait_seconds(
    fake: FakeKubernetes, clock: Clock, monkeypatch: pytest.MonkeyPatch, arguments: list[str], seconds: float
) -> None:
    asked = []

    def verify_gateway(
        api: kubernetes_client.KubernetesClient, expected: DesiredState, *, deadline_seconds: float
    ) -> None:
        asked.append((expected, deadline_seconds))
        raise ApiError(403, "Forbidden", "stop")

    monkeypatch.setattr(verifier, "verify_gateway", verify_gateway)
    assert run(monkeypatch, *arguments) == 2
    assert asked == [(desired(), seconds)]


@pytest.mark.parametrize("arguments", [(), ("--watch",)])
@pytest.mark.parametrize(
    ("problem", "code", "said"), [(BrokenPipeError(), 0, ""), (OSError(28, "No space"), 2, "No space")]
)
def test_an_output_that_cannot_be_written(
    fake: FakeKubernetes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    problem: OSError,
    code: int,
    said: str,
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise problem

    monkeypatch.setattr(sys, "stdout", Full())
    assert run(monkeypatch, *arguments) == code
    assert capsys.readouterr().err == (f"error: the report cannot be written: {said}\n" if said else "")


@pytest.mark.parametrize("arguments", [(), ("--watch",)])
def test_without_an_output_there_is_an_exit_code(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr("time.sleep", interrupt)
    assert run(monkeypatch, *arguments) == 0


def interrupt(_: float) -> None:
    raise KeyboardInterrupt
