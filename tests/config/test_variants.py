"""A key applies to the variants that have it, and every other variant refuses it with one clear message."""

import json
from typing import Any

import pytest

from traceable_kong.config.config_layout import (
    FLAT_KEYS,
    SELECTORS,
    field_of,
    models_in,
    stack_file_path,
    variants_of,
)
from traceable_kong.config.config_problem import path_of
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
VARIANTS: dict[str, dict[str, Any]] = {
    "a managed Kong (kong.install: true)": MANAGED_AGENT,
    "an existing Kong (kong.install: false)": {**MANAGED_AGENT, "kong": {"install": False}},
    "Kong without a database (kong.database: off)": MANAGED_AGENT,
    "a managed agent (agent.install: true)": MANAGED_AGENT,
    "an existing agent (agent.install: false)": EXISTING_AGENT,
    "an external agent (agent.install: false with agent.url)": EXTERNAL_AGENT,
}
"""A config of each variant of Kong and of the agent."""

NOT_TRIED = {"agentToken"}
"""It is beside agentTokenSecret in these configs, and then refused in every variant."""


def keys_of_others() -> dict[str, set[str]]:
    """For each variant of Kong and of the agent, the keys that only other variants have."""
    found: dict[str, set[str]] = {}
    for part in ("kong", "agent"):
        field = field_of(GatewayStack, part)
        assert field
        classes = models_in(field.annotation)
        keys = {
            model: {(part, str(item.alias)) for item in model.model_fields.values()} - SELECTORS for model in classes
        }
        for variant in {str(item) for model in classes for item in variants_of(model).values()}:
            own = {model for model in classes if variant in map(str, variants_of(model).values())}
            paths = set().union(*keys.values()) - set().union(*(keys[model] for model in own))
            found[variant] = {path_of(*stack_file_path(path)) for path in paths} - NOT_TRIED
    # It selects a variant only where the stack does not install the agent.
    found["a managed agent (agent.install: true)"].add("agent.url")
    return found


OF_OTHERS = keys_of_others()
OF_A_MANAGED_KONG = OF_OTHERS["an existing Kong (kong.install: false)"] - {"kong.postgres"}
OF_A_MANAGED_AGENT = OF_OTHERS["an existing agent (agent.install: false)"]


def parsed(config: dict[str, Any]) -> Any:
    given = {"plugin": {"rock": "a.rock"}, **config}
    return parse({key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()})


def with_key(config: dict[str, Any], key: str) -> dict[str, Any]:
    part, _, name = key.partition(".")
    value = PART_VALUES[key]
    return {**config, part: {**config.get(part, {}), name: value} if name else value}


@pytest.mark.parametrize(
    ("variant", "key"), [(variant, key) for variant in VARIANTS for key in sorted(OF_OTHERS[variant])]
)
def test_a_key_of_another_variant_is_refused(variant: str, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(with_key(VARIANTS[variant], key))
    (problem,) = [problem for problem in refused.value.problems if problem.key == key]
    assert problem.rule == "other_variant"
    assert problem.problem.startswith(f"does not apply to {variant}")
    assert "pulumi config" in problem.fix


def test_every_variant_and_key_is_tried() -> None:
    assert VARIANTS.keys() == {variant for variant, keys in OF_OTHERS.items() if keys}
    assert PART_VALUES.keys() == set().union(*OF_OTHERS.values()), "a key without a valid value to try it with"


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
