"""The containers of Kong's image: a node that listens and can be made to fail, its migrations, the wait for both."""

import http.client
import uuid
from pathlib import Path
from typing import Any

import pytest

from local.kubelet import container_processes, faults, kong_processes, loaded_plugins
from tests.local.kong.databases import PrivateDatabase
from tests.local.kubelet.endpoints import ask
from tests.local.kubelet.pods import KONG, FakeApi, pod

WITHOUT_DATABASE = {
    "KONG_DATABASE": "off",
    "KONG_ADMIN_LISTEN": "127.0.0.1:8444 ssl",
    "KONG_STATUS_LISTEN": "0.0.0.0:8100",
}
DROPPED = (http.client.RemoteDisconnected, ConnectionError)


def container(variables: dict[str, str]) -> dict[str, Any]:
    return {**KONG, "env": [{"name": name, "value": value} for name, value in variables.items()]}


def kong(around: container_processes.Surroundings, database: PrivateDatabase, **env: str) -> kong_processes.KongPart:
    variables = {
        **database.settings(plugins="bundled").environment,
        "KONG_ADMIN_LISTEN": "127.0.0.1:8001",
        "KONG_STATUS_LISTEN": "0.0.0.0:8100",
        **env,
    }
    part = kong_processes.KongPart(around, container(variables))
    part.start()
    return part


def test_kong_listens_where_its_environment_says_and_can_be_made_to_fail(
    around: container_processes.Surroundings,
) -> None:
    part = kong_processes.KongPart(around, container(WITHOUT_DATABASE))
    part.start()
    assert set(part.endpoints) == {8444, 8100}
    assert ask(part.endpoints[8444], tls=True)[1]["configuration"]["database"] == "off"
    assert ask(part.endpoints[8100], "/status/ready")[0] == 503
    faults.plant("ns", kong_admin="closed", file=around.fault_file)
    with pytest.raises(DROPPED):
        ask(part.endpoints[8444], tls=True)
    part.stop()


def test_a_kong_that_does_not_start_says_why(around: container_processes.Surroundings) -> None:
    with pytest.raises(container_processes.Failed, match="foo plugin is enabled but not installed"):
        kong_processes.KongPart(around, container({"KONG_DATABASE": "off", "KONG_PLUGINS": "bundled,foo"})).start()
    assert "foo plugin" in (around.directory / "proxy.log").read_text()


def test_a_dropped_request_was_done_or_was_not(
    around: container_processes.Surroundings, database: PrivateDatabase
) -> None:
    part = kong(around, database)
    admin, where = part.endpoints[8001], f"/plugins/{uuid.uuid4()}"
    faults.plant("ns", kong_admin_drop="PUT", file=around.fault_file)
    with pytest.raises(DROPPED):
        ask(admin, where, method="PUT", body='{"name": "cors"}')
    assert ask(admin, where)[0] == 404
    faults.clear("ns", file=around.fault_file)
    faults.plant("ns", kong_admin_drop_after="PUT", file=around.fault_file)
    with pytest.raises(DROPPED):
        ask(admin, where, method="PUT", body='{"name": "cors"}')
    assert ask(admin, where)[0] == 200
    part.stop()


def test_a_database_can_be_out_of_reach_for_one_node(
    around: container_processes.Surroundings, database: PrivateDatabase
) -> None:
    part = kong(around, database)
    assert ask(part.endpoints[8100], "/status/ready")[0] == 200
    faults.plant("ns", "p", database="down", file=around.fault_file)
    assert ask(part.endpoints[8100], "/status/ready") == (503, {"message": "failed to connect to database"})
    assert ask(part.endpoints[8001], "/plugins")[0] == 500
    faults.clear("ns", "p", file=around.fault_file)
    assert ask(part.endpoints[8001], "/plugins")[0] == 200
    part.stop()


def test_what_a_node_loads_is_kept_for_those_who_look_back(
    around: container_processes.Surroundings, database: PrivateDatabase
) -> None:
    part = kong(around, database, KONG_DB_UPDATE_FREQUENCY="0", KONG_WORKER_STATE_UPDATE_FREQUENCY="0")
    part.check()
    assert ask(part.endpoints[8001], "/plugins", method="POST", body='{"name": "cors"}')[0] == 201
    part.check()
    part.check()
    part.stop()
    history = loaded_plugins.read("ns", folder=around.loaded)["p"]
    assert [[row["name"] for row in rows] for _, rows in history] == [[], ["cors"]]
    assert history[1][1][0]["workspace"] == "default" and history[0][0] <= history[1][0]
    assert loaded_plugins.read("other", folder=around.loaded) == {}


def test_migrations_run_and_end(around: container_processes.Surroundings, empty_database: PrivateDatabase) -> None:
    spec = container(dict(empty_database.settings(plugins="bundled").environment))
    with pytest.raises(container_processes.Failed, match="Cannot run migrations: Database needs bootstrapping"):
        kong_processes.MigrationPart(around, spec, "up").start()
    with pytest.raises(container_processes.Done):
        kong_processes.MigrationPart(around, spec, "bootstrap").start()
    assert "Database is up-to-date" in (around.directory / "proxy.log").read_text()
    kong(around, empty_database).stop()


def test_the_wait_ends_when_a_node_would_start(
    around: container_processes.Surroundings, empty_database: PrivateDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kong_processes, "TRY_AGAIN_SECONDS", 0)
    spec = container(dict(empty_database.settings(plugins="bundled").environment))
    part = kong_processes.WaitPart(around, spec)
    part.start()
    part.check()
    assert "Database needs bootstrapping" in (around.directory / "proxy.log").read_text()
    empty_database.migrate("bootstrap")
    with pytest.raises(container_processes.Done):
        part.check()


def test_a_database_is_found_by_the_name_of_its_service(
    around: container_processes.Surroundings, database: PrivateDatabase, tmp_path: Path
) -> None:
    service = {
        "metadata": {"namespace": "ns", "name": "db"},
        "spec": {"type": "ExternalName", "externalName": "127.0.0.1"},
    }
    around.api = FakeApi({"/api/v1/namespaces/ns/services/db": service})  # type: ignore[assignment]
    around.pod = pod(KONG)
    part = kong(around, database, KONG_PG_HOST="db.ns.svc")
    assert ask(part.endpoints[8100], "/status/ready")[0] == 200
    part.stop()
