"""The guard: which pods it judges, by what, and what it says."""

from typing import Any

import pytest

from components.tme_guard import TmeGuard, TmeGuardArgs, policy_spec
from tests.fakes.recording import Recording, record
from traceable_kong.cluster.tme import has_tme_cel, requests_tme_cel, selected_cel
from traceable_kong.common.image_references import parse_image

LABELS = {"traceable-kong/stack": "traceable-kong.test"}
POD_LABELS = {"app.kubernetes.io/instance": "edge", "app.kubernetes.io/component": "app"}

IMAGE = parse_image("docker.io/traceableai/traceable-agent")


def arguments(*, action: str = "deny") -> TmeGuardArgs:
    return TmeGuardArgs(
        policy="traceable-tme-guard-traceable-kong.test",
        namespace="gw",
        pod_selector={"matchLabels": POD_LABELS},
        tme_image=IMAGE,
        agent_namespace="traceable",
        action=action,
        labels=LABELS,
    )


def guard(action: str = "deny") -> Recording:
    return record(lambda: TmeGuard("guard", args=arguments(action=action)))


def test_only_pods_of_this_gateway_are_judged_when_they_are_made_and_changed() -> None:
    spec: Any = policy_spec(arguments())
    constraints = spec["matchConstraints"]
    assert constraints["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "gw"}}
    assert constraints["objectSelector"] == {"matchLabels": POD_LABELS}
    (rule,) = constraints["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["pods"], ["CREATE", "UPDATE"])
    assert spec["failurePolicy"] == "Fail"


def test_the_rule_is_the_one_of_the_proof() -> None:
    spec = policy_spec(arguments())
    variables = {item["name"]: item["expression"] for item in spec["variables"]}
    for pod in ("object", "oldObject"):
        assert variables[f"{pod}HasTme"] == has_tme_cel(pod, IMAGE)
        assert variables[f"{pod}Selected"] == selected_cel(pod, {"matchLabels": POD_LABELS})
        assert requests_tme_cel(pod) in spec["validations"][0]["expression"]


def test_it_says_where_to_look() -> None:
    (validation,) = policy_spec(arguments())["validations"]
    assert "(no container with the image docker.io/traceableai/traceable-agent)" in validation["message"]
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
