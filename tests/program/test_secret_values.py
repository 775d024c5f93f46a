"""Encrypted values of the stack config are in no error, record or output, whatever is wrong with them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from tests.fakes.plans import IDENTITY, ROCK, plan, verify_command
from traceable_kong.common.safe_text import PlainError
from traceable_kong.config.parser import ConfigError, parse
from traceable_kong.config.secret_values import SecretPath
from traceable_kong.plan.build import PlanInputs, build_plan
from traceable_kong.plan.outputs import stack_outputs
from traceable_kong.plan.state_record import record_data

MARKER = "hunter2-marker"

KONG = [
    "env.plugins",
    "env.lua_package_path",
    "env.role",
    "env.admin_listen",
    "env.database",
    "env.pg_host",
    "env.nginx_daemon",
    "env",
    "plugins.configMaps",
    "plugins",
    "ingressController.env.ingress_class",
    "ingressController.enabled",
    "ingressController",
    "admin.http",
    "admin.enabled",
    "deployment.kong.enabled",
    "customEnv.KONG_PLUGINS",
    "replicaCount",
    "postgresql.enabled",
]
AGENT = [
    "injector.blockingConfig",
    "injector",
    "injectorEnabled",
    "forceUpdate",
    "tlsPrivateCertificatesAsString.certB64",
    "tlsPrivateCertificatesAsString",
    "endpoint",
    "replicas",
]


def nested(path: str, leaf: object) -> Any:
    value = leaf
    for part in reversed(path.split(".")):
        value = {part: value}
    return value


@pytest.mark.parametrize(("key", "path"), [*(("kongValues", p) for p in KONG), *(("agentValues", p) for p in AGENT)])
@pytest.mark.parametrize("leaf", [MARKER, [MARKER], [{"pluginName": MARKER}], {"a": MARKER}])
@pytest.mark.parametrize("database", [False, True])
def test_a_secret_value_is_not_shown(key: str, path: str, leaf: object, database: bool) -> None:
    kong = {"database": "postgres", "postgres": {"managed": True}} if database else {}
    texts = {
        "agentToken": "t",
        "plugin": json.dumps({"rock": "x.rock"}),
        "kong": json.dumps(kong),
        key: json.dumps(nested(path, leaf)),
    }
    try:
        config = parse(texts, secret_paths=[("agentToken",), (key,)])
        made = build_plan(config, PlanInputs(rock=ROCK), IDENTITY)
    except PlainError as refused:
        assert MARKER not in str(refused) and "****" not in str(refused)
    except (AttributeError, TypeError) as broken:
        pytest.fail(f"a traceback for a mistake in the config: {broken!r}")
    else:
        outputs = stack_outputs(made, verify_command("dev"))
        assert MARKER not in json.dumps([record_data(made), outputs])


SHOWN = [
    ("kongValues", "nameOverride"),
    ("kongValues", "fullnameOverride"),
    ("agentValues", "imageCredentials.registry"),
    ("agentValues", "imageCredentials.registrySuffix"),
    ("agentValues", "injector.tme.imageName"),
    ("agentValues", "injector.tme.imageVersion"),
    ("agentValues", "injectorWebhookDomain"),
]


@pytest.mark.parametrize(("key", "path"), SHOWN)
def test_a_value_that_names_and_outputs_show_may_not_be_secret_itself(key: str, path: str) -> None:
    with pytest.raises(ConfigError) as refused:
        plan(**{key: nested(path, MARKER)}, secrets=[(key, *path.split("."))])
    (problem,) = refused.value.problems
    assert (problem.rule, problem.key) == ("secret_in_plain_view", f"{key}.{path}")
    assert MARKER not in str(refused.value)


@pytest.mark.parametrize(("key", "path"), SHOWN)
def test_where_only_the_key_is_known_to_hold_a_secret_names_come_from_the_values(key: str, path: str) -> None:
    values = nested(path, "edge")
    open_plan, hidden_plan = plan(**{key: values}), plan(**{key: values}, secrets=[(key,)])
    assert record_data(hidden_plan) == record_data(open_plan)
    texts = [stack_outputs(made, verify_command("dev")) for made in (open_plan, hidden_plan)]
    assert texts[0] == texts[1] and "edge" not in hidden_plan.secrets


@pytest.mark.parametrize("text", [MARKER, f"{MARKER} it's", f"two\n{MARKER}\tlines", f"%s-{MARKER}"])
def test_a_command_that_would_set_a_secret_has_a_placeholder(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        plan(kongValues={"env": {"kong_license": text}}, secrets=[("kongValues", "env", "kong_license")])
    (problem,) = refused.value.problems
    assert MARKER not in str(refused.value)
    assert "VALUE" in problem.fix and problem.fix.endswith("(with --secret)")


@pytest.mark.parametrize("leaf", [True, False, 0, 1, 2.5, "", "0", "false", [], [0], {}, {"a": False}, [{"b": 1}]])
@pytest.mark.parametrize("hidden", ["leaf", "key"])
@pytest.mark.parametrize(("key", "path"), [*(("kongValues", p) for p in KONG), *(("agentValues", p) for p in AGENT)])
def test_a_hidden_value_is_judged_like_a_plain_one(key: str, path: str, hidden: str, leaf: object) -> None:
    config = {key: nested(path, leaf)}
    secret = (key, *path.split(".")) if hidden == "leaf" else (key,)
    assert decided(config, [secret]) == decided(config, [])


def decided(config: dict[str, Any], secrets: list[SecretPath]) -> object:
    """The keys of the problems, or all that the plan decides."""
    try:
        made = plan(**config, secrets=secrets)
    except ConfigError as refused:
        return sorted((problem.key, problem.rule) for problem in refused.problems)
    assert made.gateway
    return [record_data(made), made.gateway.injection, [release.values for release in made.releases]]


NAMES = (
    *("admin", "http", "tls", "enabled", "env", "plugins", "configMaps", "pluginName", "ingressController", "args"),
    *("customEnv", "nameOverride", "fullnameOverride", "replicaCount", "autoscaling", "minReplicas", "containerPort"),
    *("injector", "tme", "imageName", "imageCredentials", "registry", "injectorEnabled", "podAnnotations", "env.own"),
    *("deployment", "serviceAccount", "name", "daemonset", "migrations", "init", "role", "admin_listen", "database"),
)
LEAF = strategies.sampled_from([None, True, False, 0, 5442, 99999, 1.5, "", "x", "off", "true", MARKER, "a, b", "A/b"])
VALUES = strategies.dictionaries(
    strategies.sampled_from(NAMES),
    strategies.recursive(
        LEAF,
        lambda inner: (
            strategies.lists(inner, max_size=2)
            | strategies.dictionaries(strategies.sampled_from(NAMES), inner, max_size=3)
        ),
        max_leaves=4,
    ),
    max_size=4,
)


@settings(max_examples=150)
@given(VALUES, strategies.sampled_from(["kongValues", "agentValues"]))
def test_any_hidden_values_are_judged_like_plain_ones(values: dict[str, Any], key: str) -> None:
    assert decided({key: values}, [(key,)]) == decided({key: values}, [])
