"""A Kong with a database: the plugin is a plugin entity, and every operation keeps the promises.

One stack with an external PostgreSQL runs the operations, in the order of the tests.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from local.postgres.postgres_server import Server
from tests.live.cluster_state import config_maps, gateway_pods, mounted_files, plugins, record, tme_count
from tests.live.commands import CommandFailed
from tests.live.database_stack import (
    DATABASE_PASSWORD,
    admin_request,
    plugin_entities,
    plugin_entity,
    recorded_nodes,
    running_database,
    use_database,
)
from tests.live.interruption import kill_when
from tests.live.operations import new_rock
from tests.live.stack import NO_CHANGES, NO_DRIFT, TOKEN, UNCHANGED, LiveStack


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_database(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="module")
def stack(database: Server, module_stack: Any) -> LiveStack:
    created: LiveStack = module_stack(tmeGuard="deny")
    use_database(created, database)
    created.update("kongValues", replicaCount=2)
    return created


def test_install(stack: LiveStack) -> None:
    output = stack.preview()
    assert "plugin-entity" in output
    with recorded_nodes(stack) as recording:
        stack.up()
    assert recording.rollouts == 2
    assert (plugin_entity(stack)["enabled"], plugin_entity(stack)["config"]["mode"]) == (True, "sync")
    assert record(stack)["mode"] == "sync"
    assert tme_count(stack) == len(gateway_pods(stack)) == 2
    assert plugins(stack) == []
    stack.preview(*NO_DRIFT)
    verified = stack.verify()
    assert verified.returncode == 0, verified.stdout
    state = stack.pulumi("stack", "export")
    assert TOKEN not in state and DATABASE_PASSWORD not in state


def test_a_killed_change_of_mode_is_completed_and_both_changes_keep_the_promises(stack: LiveStack) -> None:
    stack.set(mode="async")
    with recorded_nodes(stack):
        kill_when(stack, lambda: plugin_entity(stack)["config"]["mode"] == "async")
        stack.up()
    assert tme_count(stack) == 0
    stack.preview(*NO_DRIFT)

    stack.set(mode="sync")
    with recorded_nodes(stack) as recording:
        stack.up()
    assert (recording.rollouts, plugin_entity(stack)["config"]["mode"]) == (1, "sync")
    stack.preview(*NO_DRIFT)

    stack.set(mode="async")
    with recorded_nodes(stack) as recording:
        stack.up()
    assert (recording.rollouts, plugin_entity(stack)["config"]["mode"]) == (1, "async")


def test_disable_and_enable(stack: LiveStack) -> None:
    stack.set(enabled=False)
    with recorded_nodes(stack) as recording:
        stack.up()
    assert (recording.rollouts, plugin_entity(stack)["enabled"]) == (0, False)
    stack.set(enabled=True, timeoutMs=750)
    stack.up()
    assert (plugin_entity(stack)["enabled"], plugin_entity(stack)["config"]["timeout"]) == (True, 750)
    stack.preview(NO_CHANGES)


def test_manual_changes_and_a_manual_deletion_are_reverted(stack: LiveStack) -> None:
    before = plugin_entity(stack)
    path = f"/plugins/{before['id']}"
    admin_request(stack, path, "PATCH", {"config": {"timeout": 1}, "tags": []})
    verified = stack.verify()
    assert verified.returncode == 1 and "timeout" in verified.stdout
    stack.refresh()
    assert "plugin-entity" in stack.preview()
    stack.up()
    after = plugin_entity(stack)
    assert [after[key] for key in ("id", "tags", "config")] == [before[key] for key in ("id", "tags", "config")]
    stack.preview(NO_CHANGES)

    admin_request(stack, path, "PATCH", {"protocols": ["tcp"]})
    verified = stack.verify()
    assert verified.returncode == 1 and "protocols is ['tcp']" in verified.stdout
    stack.up("--refresh")
    assert plugin_entity(stack)["protocols"] == before["protocols"]

    admin_request(stack, path, "DELETE")
    assert stack.verify().returncode == 1
    stack.refresh()
    stack.up()
    assert plugin_entity(stack)["id"] == before["id"]
    stack.preview(NO_CHANGES)


def test_an_unmanaged_plugin_entity_is_refused_and_adopted_with_kong_admin_adopt(stack: LiveStack) -> None:
    admin_request(stack, f"/plugins/{plugin_entity(stack)['id']}", "DELETE")
    config = {"ext_cap_endpoint": "http://by.hand:5442", "mode": "async"}
    unmanaged = admin_request(stack, "/plugins", "POST", {"name": "traceable", "config": config})
    stack.refresh()
    output = stack.failed_preview()
    assert unmanaged["id"] in output and "kong.admin.adopt true" in output and UNCHANGED in output
    assert plugin_entity(stack) == unmanaged

    without = stack.configured("kong")
    stack.update("kong", admin={"adopt": True})
    with recorded_nodes(stack):
        stack.up()
    assert plugin_entity(stack)["id"] == unmanaged["id"]
    assert plugin_entity(stack)["config"]["ext_cap_endpoint"] != config["ext_cap_endpoint"]
    stack.preview(NO_CHANGES)
    stack.set(kong=without)
    stack.preview(NO_CHANGES)


def test_a_custom_resource_that_an_ingress_controller_would_write_to_the_database_is_refused(stack: LiveStack) -> None:
    name = f"{stack.name}-object"
    annotations = {"kubernetes.io/ingress.class": stack.name}
    metadata = {"name": name, "annotations": annotations, "labels": {"owner": "helm"}}
    config = {"ext_cap_endpoint": "http://by.hand:5442"}
    document = {"apiVersion": "configuration.konghq.com/v1", "kind": "KongClusterPlugin", "metadata": metadata}
    stack.apply({**document, "plugin": "traceable", "config": config})
    try:
        output = stack.failed_preview()
        assert name in output and UNCHANGED in output
    finally:
        stack.kubectl("delete", "kongclusterplugin", name)


def test_the_plugin_moves_to_one_route_and_back(stack: LiveStack) -> None:
    service = admin_request(stack, "/services", "POST", {"name": "shop", "url": "http://shop.example"})
    admin_request(stack, "/routes", "POST", {"name": "shop", "paths": ["/shop"], "service": {"id": service["id"]}})
    before = stack.configured("kong")
    stack.set(scope="selected", kong={**before, "admin": {"route": "missing-route"}})
    assert "missing-route" in stack.failed_preview()
    stack.set(kong={**before, "admin": {"route": "shop"}})
    with recorded_nodes(stack) as recording:
        stack.up()
    assert recording.rollouts == 0
    assert plugin_entity(stack)["route"] is not None
    stack.preview(NO_CHANGES)
    stack.set(scope="global", kong=before)
    stack.up()
    assert plugin_entity(stack)["route"] is None
    stack.preview(NO_CHANGES)


def test_a_newer_rock_and_back(stack: LiveStack) -> None:
    older = stack.configured("plugin")
    new_rock(stack, "2.2.2-1")
    stack.set(pluginConfig={"max_body_size_bytes": 65536})
    with recorded_nodes(stack) as recording:
        stack.up()
    assert recording.rollouts == 1
    assert plugin_entity(stack)["config"]["max_body_size_bytes"] == 65536
    assert mounted_files(stack) == set(stack.outputs()["configMaps"])
    stack.preview(NO_CHANGES)

    newer = stack.configured("plugin")
    stack.set(plugin=older, pluginConfig={})
    assert "max_body_size_bytes" in stack.failed_preview()
    stack.set(plugin=newer)
    stack.up()
    stack.set(plugin=older)
    with recorded_nodes(stack) as recording:
        stack.up()
    assert recording.rollouts == 1
    assert "max_body_size_bytes" not in plugin_entity(stack)["config"]


def test_a_change_of_the_database_mode_is_refused(stack: LiveStack) -> None:
    before = stack.configured("kong")
    without = {key: value for key, value in before.items() if key not in ("database", "postgres")}
    stack.set(kong=without, kongValues={"proxy": {"type": "NodePort"}})
    output = stack.failed_preview()
    assert "kong.database" in output and UNCHANGED in output
    stack.set(kong=before)


def test_uninstall_traceable_keep_kong_and_install_again(stack: LiveStack) -> None:
    stack.set(enabled=False)
    stack.up()
    stack.set(installed=False)
    with recorded_nodes(stack) as recording:
        stack.up()
    assert recording.rollouts == 1
    assert plugin_entities(stack) == [] and gateway_pods(stack) and mounted_files(stack) == set()
    stack.set(installed=True, enabled=True, mode="sync")
    with recorded_nodes(stack) as recording:
        stack.up()
    assert recording.rollouts == 2
    assert plugin_entity(stack)["config"]["mode"] == "sync"
    stack.preview(NO_CHANGES)


def test_a_killed_destroy_is_completed_and_the_database_keeps_its_owners_entities(
    stack: LiveStack, database: Server
) -> None:
    with recorded_nodes(stack):
        kill_when(stack, lambda: not plugin_entities(stack), "destroy")
        stack.destroy()
    with psycopg.connect(database.conninfo(DATABASE_PASSWORD, "kong")) as connection:
        kinds = [kind for (kind,) in connection.execute("SELECT kind FROM entities ORDER BY kind")]
    assert kinds == ["routes", "services"]
    with pytest.raises(CommandFailed, match="NotFound"):
        stack.kubectl("get", "deployment", stack.gateway.deployment, "--namespace", stack.kong_namespace)
    assert config_maps(stack) == {"kube-root-ca.crt"}
    stack.kubectl("delete", "namespace", stack.kong_namespace, "--wait=false")
