"""A key applies to the variants that have it, and every other variant refuses it with one clear message."""

import json
from typing import Any

import pytest

from traceable_kong.config.config_layout import FLAT_KEYS
from traceable_kong.config.parser import ConfigError, parse
from traceable_kong.config.stack_config import GatewayStack

TOKEN = {"name": "token", "key": "token"}
POSTGRES = {"host": "db", "passwordSecret": {"name": "pg", "key": "password"}}
MANAGED_AGENT: dict[str, Any] = {"agentTokenSecret": TOKEN}
EXISTING_AGENT: dict[str, Any] = {"agent": {"install": False}}
EXTERNAL_AGENT: dict[str, Any] = {"agent": {"install": False, "url": "https://agent.example.com:5442"}, "mode": "async"}
PART_VALUES: dict[str, Any] = {
    "kong.createNamespace": False,
    "kong.release": "edge",
    "kong.adopt": True,
    "kong.protect": True,
    "kong.chart": {"version": "3.5.0"},
    "kongValues": {"replicaCount": 2},
    "kong.deployment": "gateway",
    "kong.container": "kong",
    "kong.filesMountedBy": "owner",
    "kong.admin": {"workspace": "team"},
    "kong.postgres": POSTGRES,
    "agent.createNamespace": False,
    "agent.namespace": "shared",
    "agent.adopt": True,
    "agent.protect": True,
    "agent.environment": "dev",
    "agent.endpoint": "api.example.com",
    "agent.chart": {"version": "1.60.0"},
    "agent.timeoutSeconds": 60,
    "agentTokenSecret": TOKEN,
    "agentValues": {"deploymentReplicas": 3},
    "blockingStatusCode": 451,
    "blockingMessage": "No",
    "agent.tmeImage": "registry.example.com/tme",
    "agent.url": "https://agent.example.com:5442",
}
OF_A_MANAGED_KONG = {
    "kong.createNamespace",
    "kong.release",
    "kong.adopt",
    "kong.protect",
    "kong.chart",
    "kongValues",
}
OF_AN_EXISTING_KONG = {"kong.deployment", "kong.container", "kong.filesMountedBy"}
OF_A_MANAGED_AGENT = {
    "agent.createNamespace",
    "agent.adopt",
    "agent.protect",
    "agent.environment",
    "agent.endpoint",
    "agent.chart",
    "agent.timeoutSeconds",
    "agentTokenSecret",
    "agentValues",
    "blockingStatusCode",
    "blockingMessage",
}
VARIANTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a managed Kong (kong.install: true)": (MANAGED_AGENT, OF_AN_EXISTING_KONG),
    "an existing Kong (kong.install: false)": (
        {**MANAGED_AGENT, "kong": {"install": False}},
        OF_A_MANAGED_KONG | {"kong.postgres"},
    ),
    "Kong without a database (kong.database: off)": (MANAGED_AGENT, {"kong.admin", "kong.postgres"}),
    "a managed agent (agent.install: true)": (MANAGED_AGENT, {"agent.tmeImage", "agent.url"}),
    "an existing agent (agent.install: false)": (EXISTING_AGENT, OF_A_MANAGED_AGENT),
    "an external agent (agent.install: false with agent.url)": (
        EXTERNAL_AGENT,
        OF_A_MANAGED_AGENT | {"agent.namespace", "agent.tmeImage"},
    ),
}


def parsed(config: dict[str, Any]) -> Any:
    given = {"plugin": {"rock": "a.rock"}, **config}
    return parse({key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()})


def with_key(config: dict[str, Any], key: str) -> dict[str, Any]:
    part, _, name = key.partition(".")
    value = PART_VALUES[key]
    return {**config, part: {**config.get(part, {}), name: value} if name else value}


@pytest.mark.parametrize(
    ("variant", "key"), [(variant, key) for variant, (_, keys) in VARIANTS.items() for key in sorted(keys)]
)
def test_a_key_of_another_variant_is_refused(variant: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(with_key(VARIANTS[variant][0], key))
    (problem,) = [problem for problem in refused.value.problems if problem.key == key]
    assert problem.rule == "other_variant"
    assert problem.problem.startswith(f"does not apply to {variant}")
    assert "pulumi config" in problem.fix


@pytest.mark.parametrize("key", sorted(OF_A_MANAGED_KONG | OF_A_MANAGED_AGENT))
def test_a_managed_kong_and_agent_have_every_key_of_theirs(key: str) -> None:
    assert isinstance(parsed(with_key(MANAGED_AGENT, key)), GatewayStack)


@pytest.mark.parametrize("value", ["yes", 1, None, []])
def test_where_the_variant_is_not_clear_no_key_belongs_to_another_one(value: object) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(
            {**MANAGED_AGENT, "kong": {"install": value, "deployment": "gateway", "release": "edge", "relaese": "a"}}
        )
    assert {(problem.rule, problem.key) for problem in refused.value.problems} == {
        ("switch", "kong.install"),
        ("unknown_key", "kong.relaese"),
    }


def test_a_secret_that_would_select_the_variant_is_the_only_problem() -> None:
    config = {**MANAGED_AGENT, "plugin": {"rock": "a.rock"}, "kong": {"install": "false", "deployment": "gateway"}}
    with pytest.raises(ConfigError) as refused:
        parse({key: json.dumps(value) for key, value in config.items()}, secret_paths=[("kong", "install")])
    assert [(problem.rule, problem.key) for problem in refused.value.problems] == [
        ("secret_in_plain_view", "kong.install")
    ]


def test_an_invalid_value_silences_only_the_rules_that_read_it() -> None:
    agent = {"endpoint": "me:secret@api.example.com", "chart": {"version": [1], "repository": "http://a", "name": "b"}}
    with pytest.raises(ConfigError) as refused:
        parsed({"agent": agent, "blockingStatusCode": 200, "agentToken": ""})
    assert {problem.key for problem in refused.value.problems} == {
        "agent.endpoint",
        "agent.chart.version",
        "blockingStatusCode",
        "agentToken",
    }


@pytest.mark.parametrize("key", FLAT_KEYS)
def test_a_key_of_the_top_level_is_unknown_inside_its_part(key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed({**MANAGED_AGENT, FLAT_KEYS[key]: {key: "planted-credential"}})
    (problem,) = refused.value.problems
    assert (problem.rule, problem.key) == ("unknown_key", f"{FLAT_KEYS[key]}.{key}")
    assert f"did you mean {key}?" in problem.problem
    assert "planted-credential" not in str(refused.value)
