"""The chart values of the agent."""

from typing import Any

import pytest
import yaml

from traceable_kong.cluster.agent_objects import agent_endpoint
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.cluster.tme import tme_image_in
from traceable_kong.helm_values.agent_values import (
    OWN_TOKEN_SECRET,
    agent_value_problems,
    agent_values,
    sidecar_values,
    tme_image_of,
)


def values(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "environment": "dev",
        "endpoint": None,
        "blocking_status_code": 403,
        "blocking_message": "Access Forbidden",
        "token_secret": OWN_TOKEN_SECRET,
        "replicas": None,
    }
    user_values = changes.pop("user_values", {})
    return agent_values(user_values, **(arguments | changes))


def test_blocking_settings_are_in_both_places_of_the_chart() -> None:
    made = values(blocking_status_code=451, blocking_message="No")
    assert made["injector"]["blockingConfig"] == {"blockingStatusCode": 451, "blockingMessage": "No"}
    assert made["blockingStatusCode"] == 451


def test_any_message_is_quoted_for_yaml() -> None:
    for message in [
        "a: b",
        "x # y",
        '"quoted"',
        "two\nlines",
        "{braces}",
        "- dash",
        "",
        "é \u2028",
        "\\n",
        "'",
        "null",
    ]:
        written = f"blocking_message: {values(blocking_message=message)['blockingMessage']}\n"
        assert yaml.safe_load(written) == {"blocking_message": message}


def test_the_users_values_are_merged_over_this_stacks() -> None:
    made = values(user_values={"injector": {"failurePolicy": "Fail"}, "environment": "theirs"})
    assert made["injector"]["failurePolicy"] == "Fail"
    assert "blockingConfig" in made["injector"]
    assert made["environment"] == "theirs"


@pytest.mark.parametrize(
    ("user_values", "said"),
    [
        ({"forceUpdate": True}, "agentValues.forceUpdate is not a value of the chart"),
        ({"injector": "x"}, "agentValues.injector is 'x', but the chart expects an object"),
        ({"injector": {"tme": []}}, "agentValues.injector.tme is []"),
        ({"tlsPrivateCertificatesAsString": True}, "agentValues.tlsPrivateCertificatesAsString is true"),
    ],
)
def test_a_conflict_is_refused(user_values: dict[str, Any], said: str) -> None:
    (problem,) = agent_value_problems(user_values)
    assert said in f"{problem.key} {problem.problem}"


@pytest.mark.parametrize(
    ("user_values", "image"),
    [
        ({}, "docker.io/traceableai/traceable-agent"),
        ({"injector": None}, "docker.io/traceableai/traceable-agent"),
        ({"injector": {"tme": {"imageName": "own"}}}, "docker.io/traceableai/own"),
        ({"injector": {"tme": {"imageVersion": "1.57.2"}}}, "docker.io/traceableai/traceable-agent:1.57.2"),
        (
            {"injector": {"tme": {"imageVersion": f"sha256:{'0' * 64}"}}},
            f"docker.io/traceableai/traceable-agent@sha256:{'0' * 64}",
        ),
        ({"imageCredentials": {"registry": "r.io:5000"}}, "r.io:5000/traceableai/traceable-agent"),
        ({"imageCredentials": {"registry": "r.io", "registrySuffix": ""}}, "r.io/traceable-agent"),
        ({"imageCredentials": {"registry": "r.io", "registrySuffix": "a/b"}}, "r.io/a/b/traceable-agent"),
        ({"imageCredentials": None}, "docker.io/traceableai/traceable-agent"),
        ({"k8sManifests": True, "imageCredentials": {"registry": "r.io"}}, "docker.io/traceableai/traceable-agent"),
    ],
)
def test_the_tmes_image_follows_the_chart(user_values: dict[str, Any], image: str) -> None:
    assert str(tme_image_of(values(user_values=user_values))) == image


@pytest.mark.parametrize(
    ("user_values", "said"),
    [
        ({"injector": {"tme": {"imageName": "own:1.0"}}}, "has a version, to which the chart appends another"),
        (
            {"injector": {"tme": {"imageName": f"own@sha256:{'0' * 64}"}}},
            "has a version, to which the chart appends another",
        ),
        ({"injector": {"tme": {"imageName": "r.io:5000/own"}}}, "imageCredentials.registry"),
        ({"injector": {"tme": {"imageVersion": "a b"}}}, "imageCredentials.registry"),
        ({"imageCredentials": {"registry": "https://r.io"}}, "imageCredentials.registry"),
        ({"imageCredentials": "r.io"}, "agentValues.imageCredentials is 'r.io'"),
    ],
)
def test_values_without_a_valid_image_are_refused(user_values: dict[str, Any], said: str) -> None:
    (problem,) = agent_value_problems(user_values)
    assert said in f"{problem.key} {problem.problem} -> {problem.fix}"


@pytest.mark.parametrize(
    ("config", "image"),
    [
        ("injector: {images_repository: r.io/a, tme: {image_name: tme, image_version: 1.2}}", "r.io/a/tme"),
        ("injector: {images_repository: traceableai, tme: {image_name: tme}}", "docker.io/traceableai/tme"),
        ("injector: {images_repository: r.io/a, tme: {image_name: 'tme:1'}}", "r.io/a/tme"),
        ("injector: {tme: {image_name: tme}}", None),
        ("injector: {images_repository: r.io/a, tme: null}", None),
        ("injector: {images_repository: 'https://r.io', tme: {image_name: tme}}", None),
        ("message: a: b", None),
        ("a", None),
        ("", None),
    ],
)
def test_the_tmes_image_in_an_agents_configuration(config: str, image: str | None) -> None:
    found = tme_image_in(config)
    assert (str(found) if found else None) == image


def test_two_pods_only_where_requested() -> None:
    assert values(replicas=2)["deploymentReplicas"] == 2
    assert "deploymentReplicas" not in values()
    assert values(replicas=2, user_values={"deploymentReplicas": 5})["deploymentReplicas"] == 5


def test_values_of_the_agent_alone_do_not_affect_sidecars() -> None:
    base = sidecar_values(values())
    assert sidecar_values(values(replicas=2)) == base
    assert sidecar_values(values(token_secret=SecretKey(name="other", key="k"))) == base
    assert sidecar_values(values(user_values={"resources": {"limits": {"cpu": 1}}})) == base
    assert sidecar_values(values(blocking_status_code=451)) != base
    assert sidecar_values(values(endpoint="https://elsewhere")) != base


def test_the_endpoint_names_the_agents_service() -> None:
    assert agent_endpoint("here") == "http://agent.here:5442"
