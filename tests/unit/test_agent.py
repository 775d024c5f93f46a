"""TraceableAgent and its values."""

import json

import yaml
from pydantic import SecretStr

from components.agent import OWN_TOKEN_SECRET, AgentArgs, TokenSecret, TraceableAgent, agent_endpoint, agent_values
from components.helm import Chart
from tests.unit.recording import Recording, record

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
        "tme_image": None,
        "replicas": None,
    }
    user_values = changes.pop("user_values", {})
    return agent_values(user_values, **(arguments | changes))


def agent(*, create_namespace: bool = True, token: SecretStr | None = SECRET_TOKEN, **chart: str) -> Recording:
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


def test_a_token_secret_that_exists_is_named_and_not_made() -> None:
    made = agent(token=None)
    assert "agent-token" not in [item.name for item in made.registrations]
    assert values(token_secret=TokenSecret(name="theirs", key="k"))["externalTokenSecret"] == {
        "name": "theirs",
        "key": "k",
    }


def test_a_namespace_that_exists_is_not_made() -> None:
    assert agent(create_namespace=False).of_type(":Namespace") == []


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


def test_the_endpoint_names_the_agents_service() -> None:
    assert agent_endpoint("here") == "http://agent.here:5442"
