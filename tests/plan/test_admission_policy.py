"""The admission policy: which pods it matches, what it requires, and its message."""

from typing import Any

from traceable_kong.cluster.tme import has_tme_cel, requests_tme_cel, selected_cel
from traceable_kong.common.image_references import parse_image
from traceable_kong.plan.admission_policy import policy_spec

POD_LABELS = {"app.kubernetes.io/instance": "edge", "app.kubernetes.io/component": "app"}
IMAGE = parse_image("docker.io/traceableai/traceable-agent")


def spec() -> dict[str, Any]:
    return policy_spec(
        namespace="gw", pod_selector={"matchLabels": POD_LABELS}, tme_image=IMAGE, agent_namespace="traceable"
    )


def test_it_matches_pods_of_this_gateway_only_when_they_are_created_or_updated() -> None:
    constraints = spec()["matchConstraints"]
    assert constraints["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "gw"}}
    assert constraints["objectSelector"] == {"matchLabels": POD_LABELS}
    (rule,) = constraints["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["pods"], ["CREATE", "UPDATE"])
    assert spec()["failurePolicy"] == "Fail"


def test_it_requires_what_the_verification_checks() -> None:
    variables = {item["name"]: item["expression"] for item in spec()["variables"]}
    for pod in ("object", "oldObject"):
        assert variables[f"{pod}HasTme"] == has_tme_cel(pod, IMAGE)
        assert variables[f"{pod}Selected"] == selected_cel(pod, {"matchLabels": POD_LABELS})
        assert requests_tme_cel(pod) in spec()["validations"][0]["expression"]


def test_the_message_says_where_to_look() -> None:
    (validation,) = spec()["validations"]
    assert "docker.io/traceableai/traceable-agent" in validation["message"]
    assert "traceable" in validation["message"].rsplit("namespace", 1)[-1]
