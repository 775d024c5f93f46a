"""TraceableAdminPlugin: the row as it is registered."""

import json

from pydantic import SecretStr

from components.traceable_admin_plugin import TraceableAdminPlugin, TraceableAdminPluginArgs
from tests.fakes.recording import Recording, record
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.nested_data import Values
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget

PLACE = PluginTarget(workspace="team", plugin="traceable", route="orders", owner="traceable-kong.test")
ACCESS = AdminEndpoint(
    deployment=KongDeployment(namespace="gw", name="edge", container="proxy"),
    token_secret=SecretKey(name="kong-admin", key="token"),
)


def made(config: Values, **changes: bool) -> Recording:
    fields = {"enabled": True, "adopt": False, "managed_database": False, **changes}
    args = TraceableAdminPluginArgs(place=PLACE, access=ACCESS, config=config, **fields)
    return record(lambda: TraceableAdminPlugin("plugin", args=args, kong_revision=4))


def test_it_is_one_row_and_names_of_secrets() -> None:
    row = made({"mode": "sync"}, enabled=False, adopt=True, managed_database=True)["plugin-row"]
    assert row.type == "pulumi-python:dynamic/traceable:PluginEntity"
    given = {key: value for key, value in row.inputs.items() if key != "__provider"}
    assert given == {
        "workspace": "team",
        "plugin": "traceable",
        "route": "orders",
        "service": "",
        "owner": "traceable-kong.test",
        "enabled": False,
        "config": {"mode": "sync"},
        "endpoint": ACCESS.document(),
        "adopt": True,
        "managedDatabase": True,
        "gateway": "4",
        "changedByHand": "",
    }
    assert json.dumps(given["endpoint"]).count("kong-admin/token") == 1


def test_only_a_secret_option_is_hidden() -> None:
    found = made({"mode": "sync", "nested": {"key": SecretStr("hidden")}})
    assert [(path, value) for _, path, value in found.secrets() if path != ("__provider",)] == [
        (("config", "nested", "key"), "hidden")
    ]
