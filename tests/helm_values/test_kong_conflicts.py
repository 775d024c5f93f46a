"""Chart values that conflict with Traceable, one reason each; and arbitrary values."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings

from traceable_kong.config.config_problem import Problem
from traceable_kong.helm_values.chart_environment import environment
from traceable_kong.helm_values.kong_conflicts import conflicts, other_value
from traceable_kong.helm_values.kong_values import kong_fullname, kong_value_problems

Values = dict[str, Any]


def refusal(values: Values) -> str:
    (problem,) = conflicts(values, ingress_class="kong", database=False, certificate=False)
    return text(problem)


def text(problem: Problem) -> str:
    return f"{problem.key} {problem.problem} -> {problem.fix}"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"deployment": {"daemonset": True}}, "kongValues.deployment.daemonset is true"),
        ({"deployment": {"kong": {"enabled": False}}}, "kongValues.deployment.kong.enabled is false"),
        ({"env": {"role": "data_plane"}}, "kongValues.env.role is 'data_plane'"),
        ({"customEnv": {"kong_role": "control_plane"}}, "kongValues.customEnv.kong_role is 'control_plane'"),
        ({"env": {"admin_listen": "off"}}, "kongValues.env.admin_listen gives Kong's Admin API no port"),
        ({"env": {"ADMIN_LISTEN": "unix:/run/a.sock"}}, "kongValues.env.ADMIN_LISTEN gives"),
        ({"env": {"admin_listen": {"valueFrom": {"x": "y"}}}}, "kongValues.env.admin_listen gives"),
        ({"admin": {"tls": {"enabled": False}}}, "kongValues.admin gives Kong's Admin API no port"),
        (
            {"admin": {"tls": {"client": {"caBundle": "PEM"}}}},
            "kongValues.admin.tls.client.caBundle makes Kong's Admin API",
        ),
        (
            {"admin": {"tls": {"client": {"secretName": "ca"}}}},
            "kongValues.admin.tls.client.secretName makes Kong's Admin",
        ),
        ({"env": {"nginx_admin_ssl_verify_client": "on"}}, "kongValues.env.nginx_admin_ssl_verify_client makes Kong's"),
        ({"env": {"NGINX_ADMIN_SSL_VERIFY_CLIENT": True}}, "kongValues.env.NGINX_ADMIN_SSL_VERIFY_CLIENT makes Kong's"),
        (
            {"customEnv": {"kong_nginx_admin_ssl_verify_client": "on"}},
            "makes Kong's Admin API require client certificates",
        ),
        ({"forceUpdate": True}, "kongValues.forceUpdate is not a value of the chart"),
        ({"forceUpdate": False}, "kongValues.forceUpdate is not a value of the chart"),
        (
            {"podAnnotations": {"tme.traceable.ai/inject": "true"}},
            'kongValues.podAnnotations["tme.traceable.ai/inject"] requests the TME',
        ),
        (
            {"podAnnotations": {"tme.traceable.ai/inject": "false"}},
            'kongValues.podAnnotations["tme.traceable.ai/inject"] requests the TME',
        ),
        (
            {"ingressController": {"env": {"ingress_class": "other"}}},
            "but the plugin has the ingress class 'kong'",
        ),
        ({"ingressController": {"env": {"INGRESS_CLASS": "other"}}}, "traceable-kong:kong.ingressClass"),
        ({"ingressController": {"env": {"ingress_class": {"valueFrom": {"x": "y"}}}}}, "comes from another object"),
        ({"ingressController": {"customEnv": {"controller_ingress_class": "other"}}}, ".customEnv.controller_ingress"),
        ({"ingressController": {"args": ["--v=1", "--ingress-class=other"]}}, ".args has --ingress-class=other, but"),
        ({"ingressController": {"args": ["--ingress-class", "other"]}}, ".args has --ingress-class=other, but"),
        (
            {"ingressController": {"env": {"enable_controller_kongclusterplugin": "false"}}},
            ".env.enable_controller_kongclusterplugin is 'false', so the controller would not read KongClusterPlugins",
        ),
        ({"ingressController": {"env": {"ENABLE_CONTROLLER_KONGCLUSTERPLUGIN": False}}}, "would not read"),
        ({"ingressController": {"env": {"enable_controller_kongclusterplugin": 0}}}, "would not read"),
        (
            {"ingressController": {"customEnv": {"controller_enable_controller_kongclusterplugin": "F"}}},
            ".customEnv.controller_enable_controller_kongclusterplugin is 'F'",
        ),
        (
            {"ingressController": {"args": ["--enable-controller-kongclusterplugin=false"]}},
            ".args has --enable-controller-kongclusterplugin=false",
        ),
        ({"replicaCount": 0}, "kongValues.replicaCount is 0: without a gateway pod, nothing serves"),
        ({"replicaCount": "0"}, "kongValues.replicaCount is '0'"),
        ({"replicaCount": 0.0, "autoscaling": {"enabled": False}}, "kongValues.replicaCount is 0.0"),
        ({"autoscaling": {"enabled": True, "minReplicas": 0}}, "kongValues.autoscaling.minReplicas is 0"),
        ({"autoscaling": {"enabled": True, "maxReplicas": 0}}, "kongValues.autoscaling.maxReplicas is 0"),
        ({"env": {"proxy_listen": "0.0.0.0:8000, 0.0.0.0:5442 ssl"}}, "kongValues.env.proxy_listen uses the port 5442"),
        ({"customEnv": {"kong_stream_listen": "0.0.0.0:5442"}}, "kongValues.customEnv.kong_stream_listen uses"),
        ({"proxy": {"http": {"containerPort": 5442}}}, "kongValues.proxy.http.containerPort uses the port 5442"),
        (
            {"deployment": {"sidecarContainers": [{"ports": [{"containerPort": 1}, {"containerPort": 5442}]}]}},
            "kongValues.deployment.sidecarContainers[0].ports[1].containerPort uses the port 5442",
        ),
    ],
)
def test_a_conflict_is_refused(values: Values, said: str) -> None:
    assert said in refusal(values)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"deployment": {"daemonset": False, "kong": {"enabled": True}}},
        {"deployment": None, "admin": None, "env": None, "podAnnotations": None, "ingressController": None},
        {"env": {"role": "traditional"}},
        {"env": {"admin_listen": "127.0.0.1:8444 ssl"}},
        {"admin": {"http": {"enabled": True}, "tls": {"enabled": False}}},
        {"admin": {"enabled": False}},
        {"admin": {"tls": {"client": {"caBundle": "", "secretName": ""}}}},
        {"admin": {"tls": {"client": None}}},
        {"env": {"nginx_admin_ssl_verify_client": "off"}},
        {"env": {"nginx_admin_ssl_verify_client": "optional"}, "admin": {"tls": {"client": {"caBundle": "PEM"}}}},
        {"admin": {"tls": {"enabled": False}}, "env": {"admin_listen": "127.0.0.1:8001"}},
        {"podAnnotations": {"theirs": "1"}},
        {"ingressController": {"env": {"ingress_class": "kong", "log_level": "debug"}}},
        # An argument wins over a variable, a custom variable over one with the prefix, a lower-case key over another.
        {"ingressController": {"args": ["--ingress-class=kong"], "env": {"ingress_class": "other"}}},
        {
            "ingressController": {
                "args": ["--enable-controller-kongclusterplugin"],
                "env": {"enable_controller_kongclusterplugin": "false"},
            }
        },
        {
            "ingressController": {
                "customEnv": {"controller_ingress_class": "kong"},
                "env": {"ingress_class": "other", "enable_controller_kongclusterplugin": True},
            }
        },
        {"ingressController": {"env": {"INGRESS_CLASS": "other", "ingress_class": "kong"}}},
        {"ingressController": {"env": {"watch_namespace": "shop"}, "watchNamespaces": ["shop"]}},
        {"replicaCount": 1},
        {"replicaCount": None},
        {"replicaCount": 0, "autoscaling": {"enabled": True, "minReplicas": 2}},
        {"autoscaling": {"enabled": False, "minReplicas": 0}},
        {"env": {"proxy_listen": "0.0.0.0:54420, 0.0.0.0:15442"}},
        {"env": {"nginx_proxy_real_ip": "10.0.0.1:5442"}},
        {"proxy": {"http": {"servicePort": 5442, "containerPort": 8000}}},
    ],
)
def test_other_values_are_accepted(values: Values) -> None:
    assert list(conflicts(values, ingress_class="kong", database=False, certificate=False)) == []


def test_with_a_database_the_controller_does_not_matter() -> None:
    told = {"ingressController": {"args": ["--ingress-class=other"], "env": {"ingress_class": "another"}}}
    assert list(conflicts(told, ingress_class="kong", database=True, certificate=False)) == []


@pytest.mark.parametrize("path", ["ingressController.args", "ingressController.envFrom", "plugins.configMaps"])
def test_a_list_must_be_a_list(path: str) -> None:
    parent, key = path.split(".")
    (problem,) = kong_value_problems(
        {parent: {key: "x"}}, plugin_entries=[], ingress_class="kong", database=None, admin_certificate=False
    )
    assert text(problem).startswith(f"kongValues.{path} is 'x', but the chart expects a list")


def test_each_variable_has_its_key_in_the_config() -> None:
    values = {"env": {"log_level": "info"}, "customEnv": {"my_thing": 1, "kong_plugins": "x"}}
    assert environment(values) == [
        ("kongValues.env.log_level", "KONG_LOG_LEVEL", "info"),
        ("kongValues.customEnv.my_thing", "MY_THING", 1),
        ("kongValues.customEnv.kong_plugins", "KONG_PLUGINS", "x"),
    ]


@pytest.mark.parametrize(
    ("config_key", "said"), [("kong.database", "set traceable-kong:kong.database instead"), (None, "kongValues.a.b")]
)
def test_another_value(config_key: str | None, said: str) -> None:
    assert list(other_value({"a": {"b": 1}}, "a.b", 1, config_key)) == []
    values: dict[str, Any]
    for values in ({"a": {"b": 2}}, {"a": {}}, {"a": None}, {"a": 1}, {}):
        (problem,) = other_value(values, "a.b", 1, config_key)
        assert text(problem).startswith("kongValues.a.b is ")
        assert problem.fix.startswith("pulumi config rm --path traceable-kong:kongValues.a.b") and said in problem.fix


def test_every_conflict_is_found_at_once() -> None:
    values = {"env": "x", "deployment": {"daemonset": True}, "replicaCount": 0, "forceUpdate": True}
    found = kong_value_problems(values, plugin_entries=[], ingress_class="kong", database=None, admin_certificate=False)
    assert {problem.key for problem in found} == {
        *("kongValues.env", "kongValues.deployment.daemonset", "kongValues.replicaCount", "kongValues.forceUpdate")
    }


ANYTHING = strategies.recursive(
    strategies.sampled_from([None, True, False, 0, 5442, 1.5, "", "x", "off"]),
    lambda inner: (
        strategies.lists(inner, max_size=2)
        | strategies.dictionaries(
            strategies.sampled_from(
                [
                    *(
                        "admin",
                        "http",
                        "tls",
                        "client",
                        "caBundle",
                        "enabled",
                        "env",
                        "customEnv",
                        "plugins",
                        "configMaps",
                        "pluginName",
                    ),
                    *("deployment", "daemonset", "kong", "ingressController", "podAnnotations", "containerPort"),
                    *("args", "envFrom", "rbac", "create", "serviceAccount", "watchNamespaces", "ingress_class"),
                    *("autoscaling", "minReplicas", "enable_controller_kongclusterplugin", "valueFrom"),
                    *("admin_listen", "role", "lua_package_path", "nameOverride", "fullnameOverride", "replicaCount"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=ANYTHING.filter(lambda value: isinstance(value, dict)))
def test_arbitrary_values_are_accepted_or_refused(values: Values) -> None:
    entry = {"name": "cm", "pluginName": "traceable"}
    problems = kong_value_problems(
        values, plugin_entries=[entry], ingress_class="kong", database=None, admin_certificate=False
    )
    assert all(problem.key.startswith("kongValues") and "hidden" not in text(problem) for problem in problems)
    kong_fullname("edge", values)
