"""The chart values of Kong."""

from typing import Any

import pytest

from traceable_kong.helm_values.kong_values import kong_fullname, kong_value_problems, kong_values

ENTRY = {"name": "kong-plugin-traceable-0123456789", "pluginName": "traceable"}


def values(**user_values: object) -> dict[str, Any]:
    return kong_values(user_values, plugin_entries=[ENTRY], ingress_class="kong", database=None)


def problems(user_values: dict[str, Any]) -> list[str]:
    found = kong_value_problems(
        user_values, plugin_entries=[ENTRY], ingress_class="kong", database=None, admin_certificate=False
    )
    return [f"{problem.key} {problem.problem} -> {problem.fix}" for problem in found]


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
        ({"env": {"plugins": "bundled,foo"}}, "bundled,foo,traceable"),
        ({"env": {"PLUGINS": "bundled"}}, "kongValues.env.PLUGINS"),
        ({"customEnv": {"kong_plugins": "bundled"}}, "kongValues.customEnv.kong_plugins"),
        ({"env": {"lua_package_path": "./?.lua;;"}}, "/opt/?.lua;./?.lua;;"),
        (
            {"plugins": {"configMaps": [{"name": "x", "pluginName": "traceable"}]}},
            "pulumi config rm --path 'traceable-kong:kongValues.plugins.configMaps[0]'",
        ),
        ({"env": {"database": "postgres"}}, "traceable-kong:kong.database"),
        ({"ingressController": {"ingressClass": "other"}}, "traceable-kong:kong.ingressClass"),
        ({"ingressController": {"enabled": False}}, "ingressController.enabled"),
        ({"plugins": {"configMaps": {"name": "x"}}}, "kongValues.plugins.configMaps is {'name': 'x'}"),
        ({"env": "x"}, "kongValues.env is 'x', but the chart expects an object"),
        ({"admin": {"http": True}}, "kongValues.admin.http is true, but the chart expects an object"),
    ],
)
def test_a_conflict_is_refused(user_values: dict[str, Any], said: str) -> None:
    (problem,) = problems(user_values)
    assert said in problem


def test_a_list_with_this_stacks_plugin_is_accepted() -> None:
    assert problems({"env": {"plugins": "bundled, traceable", "lua_package_path": "/opt/?.lua;;"}}) == []


def test_names_follow_the_chart() -> None:
    assert kong_fullname("quickstart", {}) == "quickstart-kong"
    assert kong_fullname("quickstart", {"nameOverride": "gw"}) == "quickstart-gw"
    assert kong_fullname("quickstart", {"fullnameOverride": "edge"}) == "edge"
    assert kong_fullname("r" * 60, {}) == "r" * 60 + "-ko"
