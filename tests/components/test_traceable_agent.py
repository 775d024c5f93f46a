"""TraceableAgent and its values."""

import json

import pytest
import yaml
from pydantic import SecretStr

from components.traceable_agent import AgentArgs, TraceableAgent, certificate_digest
from tests.fakes.recording import Recording, record
from traceable_kong.cluster.agent_objects import agent_endpoint
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.cluster.tme import tme_image_in
from traceable_kong.helm_values.agent_values import (
    OWN_TOKEN_SECRET,
    AgentValuesError,
    agent_values,
    sidecar_values,
    tme_image_of,
)
from traceable_kong.helm_values.chart import Chart

TOKEN = "the-platform-token"
SECRET_TOKEN = SecretStr(TOKEN)
LABELS = {"traceable-kong/stack": "traceable-kong.test"}


def values(**changes: object) -> dict:
    arguments: dict = {
        "environment": "dev",
        "endpoint": None,
        "blocking_status_code": 403,
        "blocking_message": "Access Forbidden",
        "token_secret": OWN_TOKEN_SECRET,
        "replicas": None,
    }
    user_values = changes.pop("user_values", {})
    return agent_values(user_values, **(arguments | changes))


def agent(*, create_namespace: bool | None = True, token: SecretStr | None = SECRET_TOKEN, **chart: str) -> Recording:
    args = AgentArgs(
        namespace="traceable",
        create_namespace=create_namespace,
        release="traceable-agent",
        chart=Chart(**(chart or {"path": "charts/agent"})),
        values=values(),
        token=token,
        timeout_seconds=120,
        labels=LABELS,
    )
    return record(lambda: TraceableAgent("agent", args=args))


def test_release_waits_for_namespace_and_token() -> None:
    made = agent()
    assert made["agent-release"].dependencies >= {"agent-namespace", "agent-token"}
    assert made["agent-token"].dependencies >= {"agent-namespace"}
    assert {item.parent for item in made.registrations if item.name != "agent"} == {"agent"}


def test_the_token_is_in_its_secret_and_nowhere_else() -> None:
    made = agent()
    assert list(made.secrets()) == [("agent-token", ("stringData",), {"token": TOKEN})]
    others = [item.inputs for item in made.registrations if item.name != "agent-token"]
    assert TOKEN not in json.dumps(others, default=repr)
    assert "metadata" in made["agent-token"].additional_secret_outputs, "kubectl apply keeps it in an annotation"


def test_a_token_secret_that_exists_is_named_and_not_made() -> None:
    made = agent(token=None)
    assert "agent-token" not in [item.name for item in made.registrations]
    assert values(token_secret=SecretKey(name="theirs", key="k"))["externalTokenSecret"] == {
        "name": "theirs",
        "key": "k",
    }


def test_a_namespace_that_exists_is_found_under_the_name_of_one_that_is_made() -> None:
    """So that one that was made, and is to stay, is let go and not deleted."""
    found = agent(create_namespace=False)["agent-namespace"]
    assert found.read and found.inputs == {"id": "traceable"}
    assert agent(create_namespace=None).of_type(":Namespace") == [], "it is somebody else's in the same program"


def test_the_release_is_atomic_bounded_and_takes_its_time_from_the_settings() -> None:
    inputs = agent(repository="https://charts.example", name="traceable-agent", version="1.58.0")[
        "agent-release"
    ].inputs
    assert (inputs["atomic"], inputs["timeout"], inputs["maxHistory"]) == (True, 120, 10)
    assert inputs["repositoryOpts"] == {"repo": "https://charts.example"}
    assert (inputs["chart"], inputs["version"]) == ("traceable-agent", "1.58.0")


def test_blocking_settings_are_in_both_places_of_the_chart() -> None:
    made = values(blocking_status_code=451, blocking_message="No")
    assert made["injector"]["blockingConfig"] == {"blockingStatusCode": 451, "blockingMessage": "No"}
    assert made["blockingStatusCode"] == 451


def test_any_message_survives_being_written_into_yaml_unquoted() -> None:
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


def test_the_users_values_are_laid_on_ours() -> None:
    made = values(user_values={"injector": {"failurePolicy": "Fail"}, "environment": "theirs"})
    assert made["injector"]["failurePolicy"] == "Fail"
    assert "blockingConfig" in made["injector"]
    assert made["environment"] == "theirs"


@pytest.mark.parametrize(
    ("user_values", "said"),
    [
        ({"forceUpdate": True}, "agentValues.forceUpdate is no value of the chart"),
        ({"injector": "x"}, "agentValues.injector is 'x', and the chart takes an object there"),
        ({"injector": {"tme": []}}, "agentValues.injector.tme is []"),
        ({"tlsPrivateCertificatesAsString": True}, "agentValues.tlsPrivateCertificatesAsString is True"),
    ],
)
def test_values_that_cannot_be_had_are_refused(user_values: dict, said: str) -> None:
    with pytest.raises(AgentValuesError) as refused:
        values(user_values=user_values)
    assert said in str(refused.value)


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
def test_the_image_of_the_tme_is_what_the_chart_makes_of_its_values(user_values: dict, image: str) -> None:
    assert str(tme_image_of(values(user_values=user_values))) == image


@pytest.mark.parametrize(
    ("user_values", "said"),
    [
        ({"injector": {"tme": {"imageName": "own:1.0"}}}, "agentValues.injector.tme.imageVersion"),
        ({"injector": {"tme": {"imageName": f"own@sha256:{'0' * 64}"}}}, "agentValues.injector.tme.imageVersion"),
        ({"injector": {"tme": {"imageName": "r.io:5000/own"}}}, "imageCredentials.registry"),
        ({"injector": {"tme": {"imageVersion": "a b"}}}, "imageCredentials.registry"),
        ({"imageCredentials": {"registry": "https://r.io"}}, "imageCredentials.registry"),
        ({"imageCredentials": "r.io"}, "agentValues.imageCredentials is 'r.io'"),
    ],
)
def test_values_that_make_no_image_are_refused(user_values: dict, said: str) -> None:
    with pytest.raises(AgentValuesError) as refused:
        tme_image_of(values(user_values=user_values))
    assert said in str(refused.value)


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
def test_the_image_of_the_tme_in_an_agents_configuration(config: str, image: str | None) -> None:
    found = tme_image_in(config)
    assert (str(found) if found else None) == image


def test_two_pods_only_where_they_are_asked_for() -> None:
    assert values(replicas=2)["deploymentReplicas"] == 2
    assert "deploymentReplicas" not in values()
    assert values(replicas=2, user_values={"deploymentReplicas": 5})["deploymentReplicas"] == 5


def test_what_only_the_agent_is_given_is_no_setting_of_a_sidecar() -> None:
    base = sidecar_values(values())
    assert sidecar_values(values(replicas=2)) == base
    assert sidecar_values(values(token_secret=SecretKey(name="other", key="k"))) == base
    assert sidecar_values(values(user_values={"resources": {"limits": {"cpu": 1}}})) == base
    assert sidecar_values(values(blocking_status_code=451)) != base
    assert sidecar_values(values(endpoint="https://elsewhere")) != base


def test_a_certificate_of_ones_own_is_known_by_its_public_part() -> None:
    own = {"rootCAB64": "ca", "certB64": SecretStr("cert"), "keyB64": SecretStr("key")}
    assert certificate_digest(values()) is None
    first = certificate_digest(values(user_values={"tlsPrivateCertificatesAsString": own}))
    other_key = {**own, "keyB64": SecretStr("other")}
    other_certificate = {**own, "certB64": SecretStr("other")}
    assert first == certificate_digest(values(user_values={"tlsPrivateCertificatesAsString": other_key}))
    assert first != certificate_digest(values(user_values={"tlsPrivateCertificatesAsString": other_certificate}))


def test_the_pods_of_the_agent_are_made_new_for_a_new_token_or_certificate() -> None:
    assert "additionalAnnotations" not in agent(token=None)["agent-release"].inputs["values"]
    annotations = agent()["agent-release"].inputs["values"]["additionalAnnotations"]
    assert list(annotations) == ["traceable-kong/token-version"]
    assert TOKEN not in json.dumps(annotations)


def test_everything_of_the_agent_carries_the_labels() -> None:
    made = agent()
    assert made["agent-namespace"].inputs["metadata"]["labels"] == LABELS
    assert made["agent-token"].inputs["metadata"]["labels"] == LABELS


def test_the_endpoint_names_the_agents_service() -> None:
    assert agent_endpoint("here") == "http://agent.here:5442"
