"""TraceableAgent: namespace, token and Helm Release."""

import json
from typing import Any

from tests.fakes import plans
from tests.fakes.recording import Recording, record
from traceable_kong.components import KongNamespace, TraceableAgent
from traceable_kong.components.traceable_agent import certificate_digest
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.model import Plan

TOKEN = "the-platform-token"
NO_TOKEN: dict[str, Any] = {"agentToken": None, "agentTokenSecret": {"name": "theirs", "key": "k"}}


def managed_agent(made: Plan) -> ManagedAgent:
    assert isinstance(made.agent, ManagedAgent)
    return made.agent


def agent(**config: Any) -> Recording:
    made = plans.plan(**{"agentToken": TOKEN, **config})
    return record(lambda: TraceableAgent("agent", plan=made, agent=managed_agent(made)))


def test_the_release_waits_for_namespace_and_token() -> None:
    made = agent()
    assert made["agent-release"].dependencies >= {"agent-namespace", "agent-token"}
    assert made["agent-token"].dependencies >= {"agent-namespace"}
    assert {item.parent for item in made.registrations if item.name != "agent"} == {"agent"}


def test_only_the_release_waits_for_what_comes_first_except_in_kongs_namespace() -> None:
    def registered(namespace: str) -> Recording:
        made = plans.plan(agentToken=TOKEN, agent={"namespace": namespace, "createNamespace": False})
        assert made.gateway is not None
        kong = made.gateway.kong

        def register() -> None:
            first = KongNamespace("kong", plan=made, kong=kong)
            TraceableAgent("agent", plan=made, agent=managed_agent(made), after=[first])

        return record(register)

    for namespace, token_waits in (("traceable", False), ("kong", True)):
        made = registered(namespace)
        assert made.waits_for("agent-release", "kong-namespace")
        assert made.waits_for("agent-token", "kong-namespace") is token_waits


def test_the_token_is_in_its_secret_and_nowhere_else() -> None:
    made = agent()
    assert list(made.secrets()) == [("agent-token", ("stringData",), {"token": TOKEN})]
    others = [item.inputs for item in made.registrations if item.name != "agent-token"]
    assert TOKEN not in json.dumps(others, default=repr)
    assert "metadata" in made["agent-token"].additional_secret_outputs, "kubectl apply keeps it in an annotation"


def test_an_existing_token_secret_is_named_and_not_created() -> None:
    made = agent(**NO_TOKEN)
    assert "agent-token" not in made.names
    assert made["agent-release"].inputs["values"]["externalTokenSecret"] == {"name": "theirs", "key": "k"}


def test_an_existing_namespace_is_read_under_the_name_of_a_created_one() -> None:
    """So a namespace that was created, and is to stay, is released and not deleted."""
    found = agent(agent={"createNamespace": False})["agent-namespace"]
    assert found.read and found.inputs == {"id": "traceable"}


def test_kongs_namespace_is_not_registered_a_second_time() -> None:
    beside_kong = {"namespace": "kong", "createNamespace": False}
    assert agent(agent=beside_kong).of_type(":Namespace") == []
    assert agent(agent=beside_kong, gateway="false", plugin=None)["agent-namespace"].read


def test_the_release_is_atomic_and_has_the_agents_timeout() -> None:
    chart = {"repository": "https://charts.example", "name": "traceable-agent", "version": "1.58.0"}
    inputs = agent(agent={"timeoutSeconds": 120, "chart": chart})["agent-release"].inputs
    assert (inputs["atomic"], inputs["timeout"], inputs["maxHistory"]) == (True, 120, 10)
    assert inputs["repositoryOpts"] == {"repo": "https://charts.example"}
    assert (inputs["chart"], inputs["version"]) == ("traceable-agent", "1.58.0")


def test_the_digest_of_a_certificate_is_of_its_public_part() -> None:
    def digest(**certificate: Any) -> str | None:
        return certificate_digest({"tlsPrivateCertificatesAsString": certificate} if certificate else {})

    own = {"rootCAB64": "ca", "certB64": "cert", "keyB64": "key"}
    assert digest() is None
    assert digest(**own) == digest(**{**own, "keyB64": "other"})
    assert digest(**own) != digest(**{**own, "certB64": "other"})


def test_a_new_token_or_certificate_rolls_out_the_agent() -> None:
    assert "additionalAnnotations" not in agent(**NO_TOKEN)["agent-release"].inputs["values"]
    annotations = agent()["agent-release"].inputs["values"]["additionalAnnotations"]
    assert list(annotations) == ["traceable-kong/token-version"]
    assert TOKEN not in json.dumps(annotations)


def test_its_objects_have_the_stacks_labels() -> None:
    made = agent()
    assert made["agent-namespace"].inputs["metadata"]["labels"] == plans.plan().labels
    assert made["agent-token"].inputs["metadata"]["labels"] == plans.plan().labels
