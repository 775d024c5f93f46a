"""TraceableAdminPlugin: the plugin entity as it is registered."""

import json
from typing import Any

from tests.fakes.plans import OWNER, plan
from tests.fakes.recording import Recording, record
from traceable_kong.components import TraceableAdminPlugin
from traceable_kong.plan.model import Gateway

ADMIN = {"workspace": "team", "route": "orders", "tokenSecret": {"name": "kong-admin", "key": "token"}, "adopt": True}
EXTERNAL = {"createNamespace": False, "postgres": {"host": "db", "passwordSecret": {"name": "pg", "key": "password"}}}


def made(kong: dict[str, Any], **more: Any) -> tuple[Recording, Gateway]:
    """What is registered, and the gateway."""
    planned = plan(kong={"namespace": "gw", "database": "postgres", "admin": ADMIN, **kong}, scope="selected", **more)
    gateway = planned.gateway
    assert gateway is not None
    return record(lambda: TraceableAdminPlugin("plugin", gateway=gateway, own_program={}, kong_revision="4")), gateway


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
        "existingKong": False,
        "gateway": "4",
        "changedByHand": "",
    }
    assert json.dumps(given["endpoint"]).count("kong-admin/token") == 1


def test_an_entity_in_a_managed_database_is_deleted_with_it() -> None:
    registered, _ = made({"postgres": {"managed": True}, "admin": {"route": "orders"}})
    assert registered["plugin-entity"].inputs["managedDatabase"] is True


def test_a_deletion_waits_for_a_kong_that_stays() -> None:
    registered, _ = made({"install": False, "deployment": "edge-kong", "admin": {"route": "orders"}})
    assert registered["plugin-entity"].inputs["existingKong"] is True
