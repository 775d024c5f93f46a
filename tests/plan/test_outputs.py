"""The stack's outputs, and what the record reports beside the desired state."""

import json
import shlex
from typing import Any

import pytest

from tests.fakes.plans import ROCK, plan, verify_command
from traceable_kong.plan.outputs import stack_outputs
from traceable_kong.plan.state_record import record_data

UNINSTALLED: dict[str, Any] = {"installed": False, "enabled": False}
EXTERNAL: dict[str, Any] = {
    "createNamespace": False,
    "database": "postgres",
    "postgres": {"host": "db", "passwordSecret": {"name": "pg", "key": "word"}},
}


def outputs(**config: Any) -> dict[str, Any]:
    return stack_outputs(plan(**config), verify_command("org/dev"))


def record(**config: Any) -> dict[str, str]:
    made = record_data(plan(**config))
    assert made is not None
    return made


def test_names_are_exported() -> None:
    made = outputs(kong={"release": "edge", "namespace": "gw"}, kongValues={"nameOverride": "proxy"})
    assert (made["namespace"], made["deployment"], made["proxyService"]) == ("gw", "edge-proxy", "edge-proxy-proxy")
    assert len(made["configMaps"]) == 1


def test_the_endpoint_is_in_outputs_and_record() -> None:
    config: dict[str, Any] = {"mode": "async", "agent": {"namespace": "other"}}
    assert outputs(**config)["endpoint"] == record(**config)["endpoint"] == "http://agent.other:5442"


def test_no_secret_is_in_the_record_the_outputs_or_the_plans_text() -> None:
    token = "a-secret-token"
    assert token not in json.dumps([record(agentToken=token), outputs(agentToken=token)])
    assert token not in repr(plan(agentToken=token))


def test_the_record_has_what_preflight_reads() -> None:
    made = record(mode="async", failMode="closed")
    read = {key: made[key] for key in ("mode", "failMode", "rockVersion", "rockSha256", "release", "deployment")}
    assert read == {
        "mode": "async",
        "failMode": "closed",
        "rockVersion": ROCK.version,
        "rockSha256": ROCK.sha256,
        "release": "quickstart",
        "deployment": "quickstart-kong",
    }


def test_other_chart_values_change_one_digest_of_the_record() -> None:
    made, other = record(), record(kongValues={"replicaCount": 2})
    assert {key for key in made if made[key] != other[key]} == {"kongValuesDigest"}


def test_uninstalled_the_outputs_say_nothing_of_the_plugin() -> None:
    installed, uninstalled = outputs(), outputs(**UNINSTALLED)
    assert installed["installed"] is installed["enabled"] is True
    assert uninstalled["installed"] is uninstalled["enabled"] is False
    gone = {"mode", "endpoint", "failMode", "pluginVersion", "rockVersion", "rockSha256"}
    assert set(installed) - set(uninstalled) == gone
    assert uninstalled["configMaps"] == []


def test_disabled_is_in_the_outputs() -> None:
    made = outputs(enabled=False)
    assert (made["installed"], made["enabled"]) == (True, False)


def test_the_command_that_verifies_names_the_gateway() -> None:
    options = ["--namespace", "kong", "--deployment", "quickstart-kong"]
    assert shlex.split(outputs()["verify"]) == [".venv/bin/python", "verify.py", *options]
    assert "--namespace" in outputs(kong=EXTERNAL)["verify"]


@pytest.mark.parametrize(
    "admin",
    [
        {"url": "https://kong.example.com:8444"},
        {"tokenSecret": {"name": "kong-admin", "key": "token"}},
        {"clientCertificateSecret": "kong-admin-client"},
    ],
)
def test_the_command_names_the_stack_if_its_admin_api_needs_a_url_or_a_secret(admin: dict[str, Any]) -> None:
    made = outputs(kong={**EXTERNAL, "admin": admin})
    assert shlex.split(made["verify"]) == [".venv/bin/python", "verify.py", "--stack", "org/dev"]
