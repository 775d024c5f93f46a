"""TraceableAdminPlugin: the plugin entity as it is registered."""

import dataclasses
import json
from typing import Any

from pydantic import SecretStr

from components import TraceableAdminPlugin
from tests.fakes.plans import OWNER, plan
from tests.fakes.recording import Recording, record
from traceable_kong.plan.model import Gateway

ADMIN = {"workspace": "team", "route": "orders", "tokenSecret": {"name": "kong-admin", "key": "token"}, "adopt": True}
EXTERNAL = {"createNamespace": False, "postgres": {"host": "db", "passwordSecret": {"name": "pg", "key": "password"}}}


def made(kong: dict[str, Any], *, config: dict[str, Any] | None = None, **more: Any) -> tuple[Recording, Gateway]:
    """What is registered, and the gateway; `config` are more options of the plugin."""
    planned = plan(kong={"namespace": "gw", "database": "postgres", "admin": ADMIN, **kong}, scope="selected", **more)
    gateway = planned.gateway
    assert gateway is not None
    plugin = dataclasses.replace(gateway.plugin, config={**gateway.plugin.config, **(config or {})})
    gateway = dataclasses.replace(gateway, plugin=plugin)
    return record(lambda: TraceableAdminPlugin("plugin", plan=planned, gateway=gateway, kong_revision="4")), gateway


def test_it_is_one_entity_with_names_of_secrets() -> None:
    registered, gateway = made(EXTERNAL, enabled=False)
    entity = registered["plugin-entity"]
    assert entity.type == "pulumi-python:dynamic/traceable:PluginEntity"
    given = {key: value for key, value in entity.inputs.items() if key != "__provider"}
    assert gateway.plugin.entity is not None
    assert given == {
        "workspace": "team",
        "plugin": "traceable",
        "route": "orders",
        "service": "",
        "owner": OWNER,
        "enabled": False,
        "config": dict(gateway.plugin.config),
        "endpoint": gateway.plugin.entity.endpoint.document(),
        "adopt": True,
        "managedDatabase": False,
        "gateway": "4",
        "changedByHand": "",
    }
    assert json.dumps(given["endpoint"]).count("kong-admin/token") == 1


def test_an_entity_in_a_managed_database_is_deleted_with_it() -> None:
    registered, _ = made({"postgres": {"managed": True}, "admin": {"route": "orders"}})
    assert registered["plugin-entity"].inputs["managedDatabase"] is True


def test_only_a_secret_option_is_secret() -> None:
    registered, _ = made(EXTERNAL, config={"nested": {"key": SecretStr("hidden")}})
    assert [(path, value) for _, path, value in registered.secrets() if path != ("__provider",)] == [
        (("config", "nested", "key"), "hidden")
    ]
