"""verify: what it says, and the exit code by which a script knows it."""

import json
import sys
from pathlib import Path

import pytest

import verify
from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from tests.kong_admin.gateway import add_secret
from tests.kong_admin.server import serving
from tests.verification.cluster import DEPLOYMENT, cluster
from tests.verification.gateway import IN_DATABASE, TARGET, desired, instance
from traceable_kong.cluster import kubernetes_client
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.cluster.ownership import STACK_LABEL
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
    """A gateway that is as its record says, at the end of whatever kubeconfig is named."""
    made = cluster()
    made.put(RECORD, {"data": {**state_data(desired()), "mode": "sync"}, "metadata": labelled()})
    monkeypatch.setattr(verify, "connect", lambda **_: made)
    return made


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["verify.py", "--namespace", "gw", *arguments])
    return verify.main()


def break_plugin(fake: FakeKubernetes) -> None:
    fake.put(RECORD, {"data": state_data(desired(version="9.9.9"))})


def test_as_recorded(fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch) == 0
    said = capsys.readouterr()
    assert "gw-1  ok     ok     ok   ok      protected" in said.out
    assert "gw/edge-kong: protected. One serving pod, every check holds." in said.out
    assert said.err == ""


def test_a_gateway_with_a_database_is_asked_with_what_stands_in_its_secrets(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as admin:
        admin.token = "planted-token"
        admin.rows[TARGET.id] = instance(id=TARGET.id, tags=[TARGET.tag])
        fake.listeners["gw-1", 8001] = admin.serve
        fake.put(RECORD, {"data": state_data(desired(**IN_DATABASE))})
        add_secret(fake, "kong-admin", token="planted-token")
        named = ("--admin-token-secret", "kong-admin/token")
        assert run(monkeypatch, *named) == 0
        assert run(monkeypatch) == 2
        admin.rows.clear()
        assert run(monkeypatch, *named) == 1
    said = capsys.readouterr()
    assert "Kong lists no traceable" in said.out and "planted" not in said.out + said.err
    assert "names the Secret kong-admin" in said.err


def asked_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["verify.py", *arguments])
    return verify.main()


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the stack `dev` says of itself."""
    data = {**state_data(desired()), "mode": "sync"}
    found = {"stackId": STACK_ID, "namespace": "gw", "deployment": "edge-kong", "recordDigest": record_digest(data)}

    def of(stack: str) -> dict[str, str]:
        assert stack == "dev"
        return found

    monkeypatch.setattr(verify, "stack_outputs", of)
    return found


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


@pytest.mark.parametrize("owner", ["traceable-kong.dev-ffffffff", ""])
def test_the_same_record_of_another_stack_is_another_clusters(
    fake: FakeKubernetes,
    outputs: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    owner: str,
) -> None:
    data = {**state_data(desired()), "mode": "sync"}
    fake.put(RECORD, {"data": data, "metadata": labelled(owner) if owner else {}})
    assert asked_of(monkeypatch, "--stack", "dev") == 2
    said = capsys.readouterr().err
    assert "in the cluster at https://fake:6443" in said and STACK_ID in said and "--context NAME" in said
    assert owner in said and "is not what stack dev wrote" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--namespace", "other"), "namespace of stack dev is gw"),
        (("--deployment", "x"), "is edge-kong, not x"),
    ],
)
def test_another_gateway_than_the_stacks(
    fake: FakeKubernetes,
    outputs: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    assert asked_of(monkeypatch, "--stack", "dev", *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_stack_without_a_gateway(
    fake: FakeKubernetes, outputs: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del outputs["recordDigest"]
    assert asked_of(monkeypatch, "--stack", "dev") == 2
    assert "Stack dev has no gateway with Traceable" in capsys.readouterr().err


def test_a_record_alone_is_believed_and_that_is_said(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch) == 0
    assert "note: what must hold was read from the record gw/traceable-installation alone" in capsys.readouterr().out
    assert run(monkeypatch, "--json") == 0
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
    ],
)
def test_what_cannot_be_asked_for(
    fake: FakeKubernetes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    with pytest.raises(SystemExit) as ended:
        asked_of(monkeypatch, *arguments)
    assert ended.value.code == 2
    assert "planted" not in capsys.readouterr().err


def test_not_as_recorded(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    break_plugin(fake)
    assert run(monkeypatch, "--wait-seconds", "0") == 1
    said = capsys.readouterr().out
    assert "NOT AS CONFIGURED" in said and "traceable 9.9.9 loaded by this Kong" in said


@pytest.mark.parametrize(("ok", "code"), [(True, 2), (False, 1)])
def test_what_could_not_be_observed_has_a_code_of_its_own(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ok: bool, code: int
) -> None:
    check = Check(pod="gw-1", name="plugin", ok=ok, expected="on", found="on")
    report = Report(gateway="gw/edge-kong", checks=(check,), not_checked=("the policy: forbidden",))
    monkeypatch.setattr(verifier, "verify_gateway", lambda *_, **__: report)
    assert run(monkeypatch) == code
    assert "not checked: the policy: forbidden" in capsys.readouterr().out


@pytest.mark.parametrize(("broken", "code"), [(False, 0), (True, 1)])
def test_for_programs(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], broken: bool, code: int
) -> None:
    if broken:
        break_plugin(fake)
    assert run(monkeypatch, "--json", "--wait-seconds", "0") == code
    document = json.loads(capsys.readouterr().out)
    assert (document["gateway"], document["ok"]) == ("gw/edge-kong", not broken)


def nothing_recorded(fake: FakeKubernetes) -> None:
    del fake.objects[RECORD]


def something_else_recorded(fake: FakeKubernetes) -> None:
    fake.put(RECORD, {"data": {"mode": "sync"}})


def no_data(fake: FakeKubernetes) -> None:
    fake.put(RECORD, {})


def may_not_read_the_record(fake: FakeKubernetes) -> None:
    fake.problems[RECORD] = forbidden("configmaps is forbidden")


def may_not_read_the_gateway(fake: FakeKubernetes) -> None:
    fake.problems[DEPLOYMENT] = forbidden("deployments is forbidden")


def away(fake: FakeKubernetes) -> None:
    fake.problems[RECORD] = Unreachable("https://a:6443: refused")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (nothing_recorded, "ConfigMap gw/traceable-installation does not exist"),
        (something_else_recorded, "The record gw/traceable-installation was not written by this version"),
        (no_data, "The record gw/traceable-installation was not written by this version"),
        (may_not_read_the_record, "configmaps is forbidden"),
        (may_not_read_the_gateway, "deployments is forbidden"),
        (away, "https://a:6443: refused"),
    ],
)
@pytest.mark.parametrize("for_programs", [False, True])
def test_what_could_not_be_looked_at(
    fake: FakeKubernetes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: object,
    said: str,
    for_programs: bool,
) -> None:
    change(fake)  # type: ignore[operator]
    assert run(monkeypatch, *(["--json"] if for_programs else [])) == 2
    found = capsys.readouterr()
    assert found.err.startswith("error: ") and said in found.err
    if for_programs:
        document = json.loads(found.out)
        assert document["ok"] is False and said in document["error"]
    else:
        assert found.out == ""


def test_a_kubeconfig_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--kubeconfig", str(tmp_path / "none")) == 2
    assert "no usable kubeconfig" in capsys.readouterr().err


def test_what_is_named_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {}

    def connect(**arguments: str | None) -> None:
        named.update(arguments)
        raise Unreachable("seen enough")

    monkeypatch.setattr(verify, "connect", connect)
    assert run(monkeypatch, "--kubeconfig", "file", "--context", "c") == 2
    assert named == {"kubeconfig": "file", "context": "c"}


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [([], 30), (["--wait-seconds", "0"], 0), (["--wait-seconds", "10"], 10), (["--wait-seconds=-1"], 0)],
)
def test_it_waits_as_an_update_does_where_it_is_not_told_otherwise(
    fake: FakeKubernetes, monkeypatch: pytest.MonkeyPatch, arguments: list[str], seconds: float
) -> None:
    asked = []

    def verify_gateway(
        api: kubernetes_client.KubernetesClient, expected: DesiredState, *, deadline_seconds: float
    ) -> None:
        asked.append((expected, deadline_seconds))
        raise ApiError(403, "Forbidden", "seen enough")

    monkeypatch.setattr(verifier, "verify_gateway", verify_gateway)
    assert run(monkeypatch, *arguments) == 2
    assert asked == [(desired(), seconds)]
