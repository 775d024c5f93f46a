"""An existing Kong on an older API server without the ValidatingAdmissionPolicy API, or without its enforcement."""

import dataclasses
import json
from collections.abc import Iterator

import pytest

import local.injector
from local.platform import Platform
from tests.live.cluster_state import gateway_pods, plugin, plugins, tme_count
from tests.live.commands import CommandFailed
from tests.live.kong_owner import KongOwner
from tests.live.second_platform import second_platform
from tests.live.stack import NO_CHANGES, UNCHANGED, LiveStack

OLDER = "emulated-version=1.34"
"""The oldest version that an API server 1.36 can emulate with a scheduler 1.36, which needs kinds of 1.34. Kinds and
features are those of 1.34, the code is not."""

GROUP = "admissionregistration.k8s.io/v1"
SWITCHED_OFF = (
    OLDER,
    f"runtime-config={GROUP}/validatingadmissionpolicies=false,{GROUP}/validatingadmissionpolicybindings=false",
    "disable-admission-plugins=ValidatingAdmissionPolicy,MutatingAdmissionPolicy",
)
NOT_ENFORCED = ("disable-admission-plugins=ValidatingAdmissionPolicy",)


@pytest.fixture
def older_platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    with second_platform(*request.param) as platform:
        yield platform


@pytest.fixture
def owner(older_platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KongOwner]:
    """The owner of a Kong in that cluster, which is removed as a whole; only the injector runs outside it."""
    stack = LiveStack(platform=older_platform, directory=tmp_path_factory.mktemp("older"))
    try:
        stack.prepare(tmeGuard="deny")
        yield KongOwner(stack)
    finally:
        local.injector.stop(stack.directory / "injector")


@pytest.mark.parametrize("older_platform", [SWITCHED_OFF], ids=["switched-off"], indirect=True)
def test_a_stack_works_with_tme_guard_off_and_is_refused_with_deny(owner: KongOwner) -> None:
    stack = owner.stack
    known = stack.kubectl("api-resources", "--api-group=admissionregistration.k8s.io", "--output=name")
    assert "validatingwebhookconfigurations" in known and "polic" not in known
    assert json.loads(stack.kubectl("get", "--raw=/version"))["emulationMinor"] == "34"
    owner.install()
    before = owner.template()

    with stack.recorded() as unchanged:
        output = stack.failed_preview()
    assert "has no validatingadmissionpolicies" in output and "tmeGuard off" in output and UNCHANGED in output
    assert unchanged.rollouts == 0 and owner.template() == before

    stack.set(tmeGuard="off")
    with stack.recorded(dataclasses.replace(stack.gateway, policy_denies=False)) as recording:
        stack.up()
        assert plugin(stack)["config"]["mode"] == "sync"
        assert tme_count(stack) == len(gateway_pods(stack)) == 1
        stack.preview(NO_CHANGES)
        assert stack.verify().returncode == 0, stack.verify().stdout
        stack.destroy()
    assert recording.rollouts <= 4, "two for the install, at most two for destroy"
    assert owner.template() == before
    assert plugins(stack) == []


@pytest.mark.parametrize("older_platform", [NOT_ENFORCED], ids=["not-enforced"], indirect=True)
def test_a_policy_that_is_not_enforced_stops_the_update(owner: KongOwner) -> None:
    stack = owner.stack
    owner.install()
    before = owner.template()
    with stack.recorded():
        with pytest.raises(CommandFailed, match=r"is not in force after 10 s.*tmeGuard off") as refusal:
            stack.up()
        assert "runs without the admission plugin ValidatingAdmissionPolicy" in str(refusal.value)
        assert tme_count(stack) == 0 and plugins(stack) == []
        stack.destroy()
    assert owner.template() == before
