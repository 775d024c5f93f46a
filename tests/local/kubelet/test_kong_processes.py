"""The containers of Kong's image: a node with its faults, its migrations, and the wait for the database."""

import http.client
import uuid
from pathlib import Path
from typing import Any

import pytest

from local.kubelet import container_processes, faults, kong_processes, loaded_plugins
from tests.local.kong.databases import PrivateDatabase
from tests.local.kubelet.endpoints import ask
from tests.local.kubelet.pods import KONG, FakeKubeClient, pod

WITHOUT_DATABASE = {
    "KONG_DATABASE": "off",
    "KONG_ADMIN_LISTEN": "127.0.0.1:8444 ssl",
    "KONG_STATUS_LISTEN": "0.0.0.0:8100",
}
DROPPED = (http.client.RemoteDisconnected, ConnectionError)


def container(variables: dict[str, str]) -> dict[str, Any]:
    return {**KONG, "env": [{"name": name, "value": value} for name, value in variables.items()]}


def kong(
    pod_context: container_processes.PodContext, database: PrivateDatabase, **env: str
) -> kong_processes.KongProcess:
    variables = {
        **database.kong_config(plugins="bundled").environment,
        "KONG_ADMIN_LISTEN": "127.0.0.1:8001",
        "KONG_STATUS_LISTEN": "0.0.0.0:8100",
        **env,
    }
    process = kong_processes.KongProcess(pod_context, container(variables))
    process.start()
    return process


def test_kong_listens_on_the_configured_ports_and_can_fail(
    pod_context: container_processes.PodContext,
) -> None:
    process = kong_processes.KongProcess(pod_context, container(WITHOUT_DATABASE))
    process.start()
    assert set(process.endpoints) == {8444, 8100, 8000, 8443}
    assert ask(process.endpoints[8443], "/x", tls=True)[1]["message"] == "no Route matched with those values"
    assert ask(process.endpoints[8000], "/x")[0] == 404
    assert ask(process.endpoints[8444], tls=True)[1]["configuration"]["database"] == "off"
    assert ask(process.endpoints[8100], "/status/ready")[0] == 503
    faults.inject("ns", kong_admin="closed", file=pod_context.fault_file)
    with pytest.raises(DROPPED):
        ask(process.endpoints[8444], tls=True)
    process.stop()


def test_a_kong_that_cannot_start_reports_why(pod_context: container_processes.PodContext) -> None:
    with pytest.raises(container_processes.ProcessFailed, match="foo plugin is enabled but not installed"):
        kong_processes.KongProcess(
            pod_context, container({"KONG_DATABASE": "off", "KONG_PLUGINS": "bundled,foo"})
        ).start()
    assert "foo plugin" in (pod_context.directory / "proxy.log").read_text()


def test_a_dropped_request_is_executed_or_not(
    pod_context: container_processes.PodContext, database: PrivateDatabase
) -> None:
    process = kong(pod_context, database)
    admin, where = process.endpoints[8001], f"/plugins/{uuid.uuid4()}"
    faults.inject("ns", kong_admin_drop="PUT", file=pod_context.fault_file)
    with pytest.raises(DROPPED):
        ask(admin, where, method="PUT", body='{"name": "cors"}')
    assert ask(admin, where)[0] == 404
    faults.clear("ns", file=pod_context.fault_file)
    faults.inject("ns", kong_admin_drop_after="PUT", file=pod_context.fault_file)
    with pytest.raises(DROPPED):
        ask(admin, where, method="PUT", body='{"name": "cors"}')
    assert ask(admin, where)[0] == 200
    process.stop()


def test_a_database_can_be_down_for_one_node(
    pod_context: container_processes.PodContext, database: PrivateDatabase
) -> None:
    process = kong(pod_context, database)
    assert ask(process.endpoints[8100], "/status/ready")[0] == 200
    faults.inject("ns", "p", database="down", file=pod_context.fault_file)
    assert ask(process.endpoints[8100], "/status/ready") == (503, {"message": "failed to connect to database"})
    assert ask(process.endpoints[8001], "/plugins")[0] == 500
    faults.clear("ns", "p", file=pod_context.fault_file)
    assert ask(process.endpoints[8001], "/plugins")[0] == 200
    process.stop()


def test_loaded_plugins_are_recorded(pod_context: container_processes.PodContext, database: PrivateDatabase) -> None:
    process = kong(pod_context, database, KONG_DB_UPDATE_FREQUENCY="0", KONG_WORKER_STATE_UPDATE_FREQUENCY="0")
    process.check()
    assert ask(process.endpoints[8001], "/plugins", method="POST", body='{"name": "cors"}')[0] == 201
    process.check()
    process.check()
    process.stop()
    history = loaded_plugins.read("ns", folder=pod_context.loaded)["p"]
    assert [[plugin["name"] for plugin in plugins] for _, plugins in history] == [[], ["cors"]]
    assert history[1][1][0]["workspace"] == "default" and history[0][0] <= history[1][0]
    assert loaded_plugins.read("other", folder=pod_context.loaded) == {}


def test_migrations_run_and_complete(
    pod_context: container_processes.PodContext, empty_database: PrivateDatabase
) -> None:
    spec = container(dict(empty_database.kong_config(plugins="bundled").environment))
    with pytest.raises(container_processes.ProcessFailed, match="Cannot run migrations: Database needs bootstrapping"):
        kong_processes.MigrationProcess(pod_context, spec, "up").start()
    with pytest.raises(container_processes.ProcessCompleted):
        kong_processes.MigrationProcess(pod_context, spec, "bootstrap").start()
    assert "Database is up-to-date" in (pod_context.directory / "proxy.log").read_text()
    kong(pod_context, empty_database).stop()


def test_the_init_container_completes_when_a_node_can_start(
    pod_context: container_processes.PodContext, empty_database: PrivateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kong_processes, "TRY_AGAIN_SECONDS", 0)
    spec = container(dict(empty_database.kong_config(plugins="bundled").environment))
    process = kong_processes.WaitForKongProcess(pod_context, spec)
    process.start()
    process.check()
    assert "Database needs bootstrapping" in (pod_context.directory / "proxy.log").read_text()
    empty_database.migrate("bootstrap")
    with pytest.raises(container_processes.ProcessCompleted):
        process.check()


def test_a_database_is_found_by_its_service_name(
    pod_context: container_processes.PodContext, database: PrivateDatabase, tmp_path: Path
) -> None:
    service = {
        "metadata": {"namespace": "ns", "name": "db"},
        "spec": {"type": "ExternalName", "externalName": "127.0.0.1"},
    }
    pod_context.api = FakeKubeClient({"/api/v1/namespaces/ns/services/db": service})  # type: ignore[assignment]
    pod_context.pod = pod(KONG)
    process = kong(pod_context, database, KONG_PG_HOST="db.ns.svc")
    assert ask(process.endpoints[8100], "/status/ready")[0] == 200
    process.stop()
