"""The guard: which pods it judges, by what, and what it says."""

import json
import re
from typing import Any

import pytest

from components.tme_guard import TmeGuard, TmeGuardArgs, policy_spec
from tests.unit.recording import Recording, record

LABELS = {"traceable-kong/stack": "traceable-kong.test"}
POD_LABELS = {"app.kubernetes.io/instance": "edge", "app.kubernetes.io/component": "app"}


def arguments(*, image: str = "traceable-agent", action: str = "deny") -> TmeGuardArgs:
    return TmeGuardArgs(
        policy="traceable-tme-guard-traceable-kong.test",
        namespace="gw",
        pod_selector={"matchLabels": POD_LABELS},
        tme_image=image,
        agent_namespace="traceable",
        action=action,
        labels=LABELS,
    )


def guard(action: str = "deny") -> Recording:
    return record(lambda: TmeGuard("guard", args=arguments(action=action)))


def pattern(image: str) -> re.Pattern[str]:
    """The expression of the policy's own for an image: CEL's texts are written like JSON's, its expressions are RE2."""
    (validation,) = policy_spec(arguments(image=image))["validations"]
    (first, second) = re.findall(r"c\.image\.matches\((\"(?:[^\"\\]|\\.)*\")\)", validation["expression"])
    assert first == second, "containers and init containers are judged alike"
    return re.compile(json.loads(first))


@pytest.mark.parametrize(
    ("image", "is_tme"),
    [
        ("traceable-agent", True),
        ("traceable-agent:1.58.0", True),
        ("traceable-agent@sha256:abc", True),
        ("docker.io/traceableai/traceable-agent:1.58.0", True),
        ("registry:5000/traceable-agent", True),
        ("my-traceable-agent:1", False),
        ("traceable-agent-extra:1", False),
        ("traceable-agent/other:1", False),
        ("kong:3.9", False),
    ],
)
def test_an_image_is_known_by_its_name(image: str, is_tme: bool) -> None:
    assert bool(pattern("traceable-agent").search(image)) is is_tme
    assert bool(pattern("registry.example.com:5000/team/traceable-agent").search(image)) is is_tme


@pytest.mark.parametrize("name", ["tme.v2", "t+me", "t(me", "t$me", "t*me", "t_me-1", "t|me", "t{2}me"])
def test_no_letter_of_a_name_means_anything_else(name: str) -> None:
    assert pattern(name).search(f"registry/{name}:1")
    assert not pattern("tme.v2").search("registry/tmexv2:1")
    assert not pattern("t|me").search("registry/t:1")
    assert not pattern("t+me").search("registry/ttme:1")


def test_only_pods_of_this_gateway_that_ask_for_the_tme_are_judged() -> None:
    spec: Any = policy_spec(arguments())
    constraints = spec["matchConstraints"]
    assert constraints["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "gw"}}
    assert constraints["objectSelector"] == {"matchLabels": POD_LABELS}
    (rule,) = constraints["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["pods"], ["CREATE"])
    (condition,) = spec["matchConditions"]
    assert condition["expression"] == (
        "has(object.metadata.annotations) && 'tme.traceable.ai/inject' in object.metadata.annotations "
        "&& object.metadata.annotations['tme.traceable.ai/inject'] == 'true'"
    )
    assert spec["failurePolicy"] == "Fail"


def test_it_says_where_to_look() -> None:
    (validation,) = policy_spec(arguments())["validations"]
    assert validation["message"].endswith("is the agent's injector in the namespace traceable up?")


@pytest.mark.parametrize(("action", "does"), [("deny", ["Deny"]), ("warn", ["Warn", "Audit"])])
def test_the_binding_puts_the_policy_into_force(action: str, does: list[str]) -> None:
    made = guard(action)
    assert made["guard-binding"].inputs["spec"] == {
        "policyName": "traceable-tme-guard-traceable-kong.test",
        "validationActions": does,
    }
    assert made["guard-binding"].dependencies == {"guard-policy"}


def test_both_carry_the_stack_in_their_names_and_labels() -> None:
    made = guard()
    for name in ("guard-policy", "guard-binding"):
        assert made[name].inputs["metadata"] == {"name": "traceable-tme-guard-traceable-kong.test", "labels": LABELS}
        assert made[name].parent == "guard"


def test_the_policy_reaches_the_engine_as_it_was_written() -> None:
    assert guard()["guard-policy"].inputs["spec"] == policy_spec(arguments())
