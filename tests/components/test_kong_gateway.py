"""KongNamespace, KongGateway and the chart's values."""

import pytest
from pydantic import SecretStr

from components.kong_gateway import KongGateway, KongGatewayArgs
from components.kong_namespace import KongNamespace, KongNamespaceArgs
from tests.fakes.recording import record
from traceable_kong.helm_values.chart import Chart
from traceable_kong.helm_values.kong_conflicts import KongValuesError
from traceable_kong.helm_values.kong_values import kong_fullname, kong_values

LABELS = {"traceable-kong/stack": "traceable-kong.test"}
ENTRY = {"name": "kong-plugin-traceable-0123456789", "pluginName": "traceable"}


def values(**user_values: object) -> dict:
    return kong_values(user_values, plugin_entries=[ENTRY], ingress_class="kong", database=None)


def test_the_plugins_files_are_mounted_beside_the_users_own() -> None:
    theirs = {"name": "cm", "pluginName": "foo"}
    made = values(plugins={"configMaps": [theirs], "secrets": [{"name": "s", "pluginName": "bar"}]}, replicaCount=3)
    assert made["plugins"]["configMaps"] == [theirs, ENTRY]
    assert made["plugins"]["secrets"] == [{"name": "s", "pluginName": "bar"}]
    assert made["replicaCount"] == 3


def test_the_users_values_are_not_changed() -> None:
    theirs: dict = {"plugins": {"configMaps": []}}
    kong_values(theirs, plugin_entries=[ENTRY], ingress_class="kong", database=None)
    assert theirs == {"plugins": {"configMaps": []}}


@pytest.mark.parametrize(
    ("user_values", "said"),
    [
        ({"env": {"plugins": "bundled,foo"}}, "bundled,foo,traceable"),
        ({"env": {"PLUGINS": "bundled"}}, "kongValues.env.PLUGINS"),
        ({"customEnv": {"kong_plugins": "bundled"}}, "kongValues.customEnv.kong_plugins"),
        ({"env": {"lua_package_path": "./?.lua;;"}}, "/opt/?.lua;./?.lua;;"),
        ({"plugins": {"configMaps": [{"name": "x", "pluginName": "traceable"}]}}, "Take that entry out"),
        ({"env": {"database": "postgres"}}, "traceable-kong:kong.database"),
        ({"ingressController": {"ingressClass": "other"}}, "traceable-kong:kong.ingressClass"),
        ({"ingressController": {"enabled": False}}, "ingressController.enabled"),
        ({"plugins": {"configMaps": {"name": "x"}}}, "kongValues.plugins.configMaps is {'name': 'x'}"),
        ({"env": "x"}, "kongValues.env is 'x', and the chart takes an object there"),
        ({"admin": {"http": True}}, "kongValues.admin.http is True, and the chart takes an object there"),
    ],
)
def test_values_that_contradict_ours_are_refused(user_values: dict, said: str) -> None:
    with pytest.raises(KongValuesError) as refused:
        values(**user_values)
    assert said in str(refused.value)


def test_a_list_of_plugins_with_ours_in_it_is_taken() -> None:
    assert values(env={"plugins": "bundled, traceable"})["env"]["plugins"] == "bundled, traceable"
    assert values(env={"lua_package_path": "/opt/?.lua;;"})["env"]["lua_package_path"] == "/opt/?.lua;;"


def test_names_follow_the_chart() -> None:
    assert kong_fullname("quickstart", {}) == "quickstart-kong"
    assert kong_fullname("quickstart", {"nameOverride": "gw"}) == "quickstart-gw"
    assert kong_fullname("quickstart", {"fullnameOverride": "edge"}) == "edge"
    assert kong_fullname("r" * 60, {}) == "r" * 60 + "-ko"


def test_a_secret_leaf_of_the_values_is_the_only_secret_of_the_release() -> None:
    args = KongGatewayArgs(
        namespace="kong",
        release="quickstart",
        fullname="quickstart-kong",
        chart=Chart(path="charts/kong"),
        values=values(env={"pg_password": SecretStr("hidden"), "log_level": "info"}),
        timeout_seconds=300,
    )
    made = record(lambda: KongGateway("gateway", args=args))
    assert list(made.secrets()) == [("gateway-release", ("values", "env", "pg_password"), "hidden")]
    inputs = made["gateway-release"].inputs
    assert (inputs["atomic"], inputs["timeout"], inputs["maxHistory"]) == (True, 300, 10)
    assert made["gateway-release"].parent == "gateway"


def test_the_namespace_is_made_or_found_as_the_config_says() -> None:
    made = record(lambda: KongNamespace("kong", args=KongNamespaceArgs(namespace="gw", create=True, labels=LABELS)))
    assert made["kong-namespace"].inputs["metadata"] == {"name": "gw", "labels": LABELS}
    found = record(lambda: KongNamespace("kong", args=KongNamespaceArgs(namespace="gw", create=False, labels=LABELS)))
    assert found["kong-namespace"].read and found["kong-namespace"].inputs == {"id": "gw"}
