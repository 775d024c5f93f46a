"""TmeGuard: the admission policy and its binding."""

import pytest

from tests.fakes.plans import plan
from tests.fakes.recording import Recording, record
from traceable_kong.components import TmeGuard

NAME = plan().policy_name


def guard(action: str = "deny") -> Recording:
    made = plan(tmeGuard=action)
    assert made.gateway is not None and made.gateway.policy is not None
    policy = made.gateway.policy
    return record(lambda: TmeGuard("guard", plan=made, policy=policy))


@pytest.mark.parametrize(("action", "does"), [("deny", ["Deny"]), ("warn", ["Warn", "Audit"])])
def test_the_binding_enforces_the_policy(action: str, does: list[str]) -> None:
    registered = guard(action)
    assert registered["guard-binding"].inputs["spec"] == {"policyName": NAME, "validationActions": does}
    assert registered["guard-binding"].dependencies == {"guard-policy"}


def test_both_have_the_stack_in_their_names_and_labels() -> None:
    registered = guard()
    for name in ("guard-policy", "guard-binding"):
        assert registered[name].inputs["metadata"] == {"name": NAME, "labels": plan().labels}
        assert registered[name].parent == "guard"


def test_the_policy_is_registered_as_planned() -> None:
    made = plan(tmeGuard="deny")
    assert made.gateway is not None and made.gateway.policy is not None
    assert guard()["guard-policy"].inputs["spec"] == made.gateway.policy.spec
