"""The chart values of Kong."""

from typing import Any

import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr

from traceable_kong.helm_values.chart_environment import environment
from traceable_kong.helm_values.known_values import suggestion, unknown_values
from traceable_kong.helm_values.kong_values import kong_fullname, kong_value_problems, kong_values

ENTRY = {"name": "kong-plugin-traceable-0123456789", "pluginName": "traceable"}


def values(**user_values: object) -> dict[str, Any]:
    return kong_values(user_values, plugin_entries=[ENTRY], ingress_class="kong", database=None)


def problems(user_values: dict[str, Any]) -> list[str]:
    return [f"{item.key} {item.problem} -> {item.fix}" for item in kong_value_problems(user_values, None)]


def test_the_users_plugins_stay() -> None:
    other = {"name": "cm", "pluginName": "foo"}
    made = values(plugins={"configMaps": [other], "secrets": [{"name": "s", "pluginName": "bar"}]}, replicaCount=3)
    assert made["plugins"]["configMaps"] == [other, ENTRY]
    assert made["plugins"]["secrets"] == [{"name": "s", "pluginName": "bar"}]
    assert made["replicaCount"] == 3


def test_the_users_values_are_not_changed() -> None:
    user_values: dict[str, Any] = {"plugins": {"configMaps": []}}
    kong_values(user_values, plugin_entries=[ENTRY], ingress_class="kong", database=None)
    assert user_values == {"plugins": {"configMaps": []}}


@pytest.mark.parametrize(
    ("user_values", "said"),
    [
        ({"env": {"database": "postgres"}}, "traceable-kong:kong.database"),
        ({"plugins": {"configMaps": {"name": "x"}}}, "kongValues.plugins.configMaps is {'name': 'x'}"),
        ({"env": "x"}, "kongValues.env is 'x', but the chart expects an object"),
        ({"forceUpdate": True}, "kongValues.forceUpdate is not a value of the chart"),
        ({"forceUpdate": False}, "kongValues.forceUpdate is not a value of the chart"),
        ({"dblessConfig": {"configMap": "routes"}}, "kongValues.dblessConfig is a declarative configuration"),
    ],
)
def test_what_no_rendering_shows_is_refused(user_values: dict[str, Any], said: str) -> None:
    (problem,) = problems(user_values)
    assert said in problem


def test_every_problem_is_found_at_once() -> None:
    found = kong_value_problems({"env": "x", "plugins": 1, "forceUpdate": True}, None)
    assert {problem.key for problem in found} == {"kongValues.env", "kongValues.plugins", "kongValues.forceUpdate"}


def test_an_empty_declarative_configuration_is_none() -> None:
    assert problems({"dblessConfig": {"configMap": "", "secret": "", "config": ""}}) == []


def test_names_follow_the_chart() -> None:
    assert kong_fullname("quickstart", {}) == "quickstart-kong"
    assert kong_fullname("quickstart", {"nameOverride": "gw"}) == "quickstart-gw"
    assert kong_fullname("quickstart", {"fullnameOverride": "edge"}) == "edge"
    assert kong_fullname("r" * 60, {}) == "r" * 60 + "-ko"


def test_values_that_the_chart_does_not_document() -> None:
    assert unknown_values({"kong": {}, "env": {}, "global": {}, "replicacount": 1}) == ["kong", "replicacount"]
    assert suggestion("replicacount") == "Did you mean kongValues.replicaCount?"
    assert "umbrella" in suggestion("kong") and suggestion("zzz") == ""


def test_each_variable_has_its_key_in_the_config() -> None:
    made = {"env": {"log_level": "info"}, "customEnv": {"my_thing": 1, "kong_plugins": "x"}}
    assert environment(made) == [
        ("kongValues.env.log_level", "KONG_LOG_LEVEL", "info"),
        ("kongValues.customEnv.my_thing", "MY_THING", 1),
        ("kongValues.customEnv.kong_plugins", "KONG_PLUGINS", "x"),
    ]


KEYS = (
    *("env", "customEnv", "plugins", "configMaps", "ingressController", "migrations", "postgresql", "dblessConfig"),
    *("enabled", "database", "pg_host", "valueFrom", "nameOverride", "fullnameOverride", "forceUpdate"),
)
ANYTHING = strategies.recursive(
    strategies.sampled_from([None, True, False, 0, 5442, 1.5, "", "x", "off", SecretStr("hidden")]),
    lambda inner: (
        strategies.lists(inner, max_size=2) | strategies.dictionaries(strategies.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=8,
)


@hypothesis_settings(max_examples=300)
@given(user_values=ANYTHING.filter(lambda value: isinstance(value, dict)))
def test_arbitrary_values_are_accepted_or_refused(user_values: dict[str, Any]) -> None:
    found = problems(user_values)
    assert all(item.startswith("kongValues") and "hidden" not in item for item in found)
    kong_fullname("edge", user_values)
    if not found:
        values(**user_values)
