"""Encrypted values of the stack config are in no error, record or output, whatever is wrong with them."""

import json
from typing import Any

import pytest

from tests.fakes.plans import OWNER, ROCK
from traceable_kong.common.safe_text import PlainError
from traceable_kong.config.parser import parse
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
    "nameOverride",
    "fullnameOverride",
    "replicaCount",
    "postgresql.enabled",
]
AGENT = [
    "injector.tme.imageName",
    "injector.tme",
    "injector",
    "injectorEnabled",
    "forceUpdate",
    "tlsPrivateCertificatesAsString.certB64",
    "tlsPrivateCertificatesAsString",
    "endpoint",
    "replicas",
]


def nested(path: str, leaf: object) -> dict[str, Any]:
    value: Any = leaf
    for part in reversed(path.split(".")):
        value = {part: value}
    return dict(value)


@pytest.mark.parametrize(("key", "path"), [*(("kongValues", p) for p in KONG), *(("agentValues", p) for p in AGENT)])
@pytest.mark.parametrize("leaf", [MARKER, [MARKER], [{"pluginName": MARKER}], {"a": MARKER}])
@pytest.mark.parametrize("database", [False, True])
def test_a_secret_value_is_not_shown(key: str, path: str, leaf: object, database: bool) -> None:
    kong = {"database": "postgres", "postgres": {"managed": True}} if database else {}
    given = {
        "agentToken": "t",
        "plugin": json.dumps({"rock": "x.rock"}),
        "kong": json.dumps(kong),
        key: json.dumps(nested(path, leaf)),
    }
    try:
        config = parse(given, secret_paths=[("agentToken",), (key,)])
        plan = build_plan(config, PlanInputs(rock=ROCK), OWNER)
    except PlainError as refused:
        assert MARKER not in str(refused)
    except (AttributeError, TypeError) as broken:
        pytest.fail(f"a traceback for a mistake in the config: {broken!r}")
    else:
        outputs = stack_outputs(plan, stack="dev", cluster_options="")
        assert MARKER not in json.dumps([record_data(plan), outputs], default=repr)
