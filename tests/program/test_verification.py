"""The verification in the whole program: in every `up`, never in a preview, and always before the record."""

import dataclasses
from typing import Any

import pulumi
import pytest

from tests.fakes.program import Program
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.plan.state_record import state_of
from traceable_kong.verification.report import Check, Report

BROKEN = Report(
    name="kong/quickstart-kong",
    checks=(Check(pod="gw-1", name="plugin", ok=False, expected="enabled", found="it is disabled", fix="fix it"),),
)
GOOD = Report(
    name="kong/quickstart-kong", checks=(Check(pod="gw-1", name="plugin", ok=True, expected="on", found="on"),)
)


def test_an_up_verifies_once_and_records_what_was_verified(program: Program) -> None:
    made = program.up()
    (expected,) = program.asked_for
    assert made["traceable-installation-record"].inputs["metadata"]["name"] == "traceable-installation"
    data = made["traceable-installation-record"].inputs["data"]
    assert state_of("kong", data) == expected
    assert (data["mode"], data["failMode"], data["endpoint"]) == ("sync", "open", "http://localhost:5442")


def test_a_preview_verifies_nothing_and_shows_the_record(program: Program) -> None:
    shown = program.preview()["traceable-installation-record"].inputs["data"]
    assert program.asked_for == []
    assert shown == program.up()["traceable-installation-record"].inputs["data"]


def test_without_a_successful_verification_there_is_no_record(program: Program) -> None:
    program.report = BROKEN
    with pytest.raises(pulumi.RunError, match="it is disabled"):
        program.up()
    assert "traceable-plugin-kong-cluster-plugin" in program.recording.names
    assert "traceable-installation-record" not in program.recording.names


def test_the_report_says_how_long_the_verification_took(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text, *_, **__: said.append(text))
    program.report = GOOD
    program.up()
    assert said[1:] == ["The verification took 0.0 s."]


@pytest.mark.parametrize("problem", [Unreachable("nobody there"), ApiError(403, "Forbidden", "no pods")])
def test_a_gateway_that_cannot_be_read_is_not_verified(program: Program, problem: Exception) -> None:
    program.report = problem
    with pytest.raises(pulumi.RunError, match=f"{problem}.*`pulumi up` again"):
        program.up()
    assert "traceable-installation-record" not in program.recording.names


def test_what_could_not_be_observed_is_warned_about_and_fails_nothing(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda line, *_, **__: warned.append(line))
    program.report = dataclasses.replace(GOOD, not_checked=("the policy: forbidden",))
    assert "traceable-installation-record" in program.up().names
    assert warned == ["not checked: the policy: forbidden"]


def test_uninstalling_is_verified_too(program: Program) -> None:
    program.up(installed=False, enabled=False)
    assert [expected.installed for expected in program.asked_for] == [False]
    program.report = BROKEN
    with pytest.raises(pulumi.RunError, match="it is disabled"):
        program.up(installed=False, enabled=False)


@pytest.mark.parametrize(("mode", "tme_image"), [("sync", "docker.io/traceableai/traceable-agent"), ("async", None)])
def test_the_verification_checks_the_tme_in_sync_only(program: Program, mode: str, tme_image: str | None) -> None:
    program.up(mode=mode)
    (image,) = [expected.injection and expected.injection.image for expected in program.asked_for]
    assert (str(image) if image else None) == tme_image


def test_the_verification_checks_the_files_that_the_gateway_mounts(program: Program) -> None:
    made = program.up()
    mounted = made["traceable-gateway-release"].inputs["values"]["plugins"]["configMaps"]
    assert program.asked_for[0].files == {
        f"/opt/kong/plugins/{entry['pluginName']}": entry["name"] for entry in mounted
    }


def test_the_verification_checks_the_registered_policy_and_injection(program: Program) -> None:
    made = program.up()
    (expected,) = program.asked_for
    policy, binding = made["traceable-tme-guard-policy"].inputs, made["traceable-tme-guard-binding"].inputs
    assert expected.policy is not None and expected.injection is not None
    assert (expected.policy.name, expected.policy.spec) == (policy["metadata"]["name"], policy["spec"])
    assert binding["metadata"]["name"] == expected.policy.name
    assert binding["spec"] == {
        "policyName": expected.policy.name,
        "validationActions": expected.policy.validation_actions,
    }
    assert (
        expected.injection.label.items() <= made["traceable-tme-namespace-label"].inputs["metadata"]["labels"].items()
    )
    patched = made["traceable-tme-pod-annotation"].inputs["spec"]["template"]["metadata"]["annotations"]
    assert expected.injection.annotations == patched
    assert expected.injection.webhook == "traceable-agent-injector-traceable"
    assert expected.injection.agent_release == made["traceable-agent-release"].inputs["name"]


@pytest.mark.parametrize(
    ("changes", "guarded", "injected"),
    [
        ({"mode": "async"}, True, False),
        ({"enabled": False}, True, False),
        ({"tmeGuard": "off"}, False, True),
        ({"installed": False, "enabled": False}, False, False),
    ],
)
def test_what_is_not_registered_is_not_checked(
    program: Program, changes: dict[str, Any], guarded: bool, injected: bool
) -> None:
    program.up(**changes)
    (expected,) = program.asked_for
    assert (expected.policy is not None, expected.injection is not None) == (guarded, injected)
