"""A Kong that exists, on an API server of before Kubernetes 1.36 on which the policy API is switched off."""

import dataclasses
import json
from collections.abc import Iterator

import pytest

import local.injector
from local.platform import Platform
from tests.live.apart import platform_apart
from tests.live.operations import refused_preview
from tests.live.owner import Owner
from tests.live.stack import CommandFailed, LiveStack
from tests.live.standing import gateway_pods, plugin, plugins, tme_count
from tests.live.test_installation import NOTHING

OLDER = "emulated-version=1.34"
"""The oldest that a server of 1.36 can pass for beside a scheduler of 1.36, which asks for kinds of 1.34. Kinds and
features are those of then, the code is not."""

GROUP = "admissionregistration.k8s.io/v1"
SWITCHED_OFF = (
    OLDER,
    f"runtime-config={GROUP}/validatingadmissionpolicies=false,{GROUP}/validatingadmissionpolicybindings=false",
    "disable-admission-plugins=ValidatingAdmissionPolicy,MutatingAdmissionPolicy",
)
NOT_ENFORCED = ("disable-admission-plugins=ValidatingAdmissionPolicy",)


@pytest.fixture
def apart(request: pytest.FixtureRequest) -> Iterator[Platform]:
    with platform_apart(*request.param) as platform:
        yield platform


@pytest.fixture
def owner(apart: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    """The owner of a Kong there; all of it goes with its cluster, the stack's injector aside."""
    stack = LiveStack(platform=apart, directory=tmp_path_factory.mktemp("apart"))
    try:
        stack.prepare(tmeGuard="deny")
        yield Owner(stack)
    finally:
        local.injector.stop(stack.directory / "injector")


@pytest.mark.parametrize("apart", [SWITCHED_OFF], ids=["switched-off"], indirect=True)
def test_traceable_comes_and_goes_without_the_guard_and_is_refused_with_it(owner: Owner) -> None:
    stack = owner.stack
    known = stack.kubectl("api-resources", "--api-group=admissionregistration.k8s.io", "--output=name")
    assert "validatingwebhookconfigurations" in known and "polic" not in known
    assert json.loads(stack.kubectl("get", "--raw=/version"))["emulationMinor"] == "34"
    owner.install()
    before = owner.template()

    with stack.recorded() as untouched:
        said = refused_preview(stack)
    assert "has no validatingadmissionpolicies" in said and "tmeGuard off" in said and "Nothing was changed" in said
    assert untouched.rollouts == 0 and owner.template() == before

    stack.set(tmeGuard="off")
    with stack.recorded(dataclasses.replace(stack.gateway, guard_denies=False)) as life:
        stack.up()
        assert plugin(stack)["config"]["mode"] == "sync"
        assert tme_count(stack) == len(gateway_pods(stack)) == 1
        stack.preview(NOTHING)
        assert stack.verify().returncode == 0, stack.verify().stdout
        stack.destroy()
    assert life.rollouts <= 4, "two on the way in, and at most two on the way out"
    assert owner.template() == before
    assert plugins(stack) == []


@pytest.mark.parametrize("apart", [NOT_ENFORCED], ids=["not-enforced"], indirect=True)
def test_a_policy_that_nobody_enforces_is_no_guard(owner: Owner) -> None:
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
