"""A simulated node with a database: startup, root response, and migrations."""

import re
import socket

import pytest

from local.kong.enabled_plugins import StartError
from local.kong.migrations import CORE, NEEDS_BOOTSTRAP
from local.postgres.postgres_server import HOST
from tests.local.kong.databases import PASSWORD, PrivateDatabase, ask, create

NO_VERSION = r"\[PostgreSQL error\] failed to retrieve PostgreSQL server_version_num: "


SILENT = socket.socket()
"""Has a port, which no other socket can get, and refuses every connection: it does not listen."""

SILENT.bind((HOST, 0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"KONG_PG_PORT": str(SILENT.getsockname()[1])}, "connection refused"),
        ({"KONG_PG_HOST": "nowhere.invalid"}, "host or service not provided, or not known"),
        ({"KONG_PG_PASSWORD": "wrong"}, 'FATAL: password authentication failed for user "kong"$'),
        ({"KONG_PG_PASSWORD": ""}, "missing password, required for connect"),
        ({"KONG_PG_DATABASE": "other"}, 'FATAL: database "other" does not exist$'),
    ],
)
def test_a_node_does_not_start_without_its_database(
    database: PrivateDatabase, wrong: dict[str, str], message: str
) -> None:
    with pytest.raises(StartError, match=NO_VERSION + message):
        database.node(**wrong)
    with pytest.raises(StartError, match=NO_VERSION + message):
        database.migrate("up", **wrong)


def test_pg_ssl_falls_back_to_a_server_without_ssl(database: PrivateDatabase) -> None:
    assert database.node(KONG_PG_SSL="on").status_api("/status/ready")[0] == 200


def test_a_database_that_is_not_bootstrapped_prevents_the_start(empty_database: PrivateDatabase) -> None:
    with pytest.raises(StartError, match=re.escape(NEEDS_BOOTSTRAP)):
        empty_database.node()
    for command in ("up", "finish"):
        with pytest.raises(StartError, match="Cannot run migrations: Database needs bootstrapping"):
            empty_database.migrate(command)
    output = empty_database.migrate("bootstrap")
    assert (output[0], output[-1]) == ("Bootstrapping database...", "Database is up-to-date")
    assert empty_database.node().loaded.plugins == []
    assert empty_database.migrate("bootstrap") == ["Database already bootstrapped"]
    assert empty_database.migrate("up") == ["Database is already up-to-date"]
    assert empty_database.migrate("finish") == ["No pending migrations to finish"]


def test_an_older_database_must_be_migrated(database: PrivateDatabase) -> None:
    database.execute(f"UPDATE schema_meta SET executed = array_remove(executed, '{CORE[-1]}')")
    with pytest.raises(StartError, match="New migrations available; run 'kong migrations up' to proceed"):
        database.node()
    assert f"core migrated up to: {CORE[-1]} (executed)" in database.migrate("up")
    database.node()


def test_migrations_need_no_plugin(empty_database: PrivateDatabase) -> None:
    empty_database.migrate("bootstrap", plugins="bundled,nowhere")


def test_an_entity_of_a_missing_plugin_prevents_the_start(database: PrivateDatabase) -> None:
    create(database.node(), "/plugins", name="foo")
    with pytest.raises(StartError, match="error building initial plugins: foo plugin is in use but not enabled"):
        database.node(plugins="bundled")
    with pytest.raises(StartError, match="bar plugin is enabled but not installed"):
        database.node(plugins="bundled,foo,bar")


def test_the_root_shows_database_properties_with_defaults(database: PrivateDatabase) -> None:
    kong = database.node(KONG_DB_UPDATE_FREQUENCY="2", KONG_DB_UPDATE_PROPAGATION="0.5")
    create(kong, "/plugins", name="foo")
    create(kong, "/plugins", name="cors")
    status, root = ask(kong, "GET", "/")
    assert status == 200 and sorted(root["plugins"]["enabled_in_cluster"]) == ["cors", "foo"]
    assert (root["edition"], root["hostname"]) == ("community", "pod")
    wanted = {
        "database": "postgres",
        "pg_port": database.server.port,
        "pg_user": "kong",
        "pg_password": "******",
        "pg_ssl": False,
        "db_update_frequency": 2,
        "db_update_propagation": 0.5,
        "worker_consistency": "eventual",
        "worker_state_update_frequency": 5,
    }
    assert {name: root["configuration"][name] for name in wanted} == wanted
    assert PASSWORD not in str(root)


def test_a_node_is_ready_while_its_database_answers(database: PrivateDatabase) -> None:
    kong = database.node()
    assert kong.status_api("/status/ready") == (200, {"message": "ready"})
    assert kong.status_api("/status")[1]["database"] == {"reachable": True}
    assert "configuration_hash" not in ask(kong, "GET", "/status")[1]
    assert kong.status_api("/other")[0] == 404


def test_a_database_that_is_down_for_a_while(database: PrivateDatabase) -> None:
    down = [False]
    kong = database.interrupted(down)
    entity = create(kong, "/plugins", name="foo")
    down[0] = True
    assert kong.status_api("/status/ready") == (503, {"message": "failed to connect to database"})
    assert ask(kong, "GET", "/status")[1]["database"] == {"reachable": False}
    assert ask(kong, "GET", "/") == (500, {"message": "An unexpected error happened"})
    assert ask(kong, "GET", "/plugins") == (500, {"message": "An unexpected error occurred"})
    assert ask(kong, "PUT", f"/plugins/{entity['id']}", {"name": "foo"})[0] == 500
    down[0] = False
    assert ask(kong, "GET", f"/plugins/{entity['id']}") == (200, entity)


def test_a_closed_connection_is_reopened(database: PrivateDatabase) -> None:
    kong = database.node()
    assert ask(kong, "GET", "/plugins")[0] == 200
    database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kong'")
    assert ask(kong, "GET", "/plugins")[0] == 200


def test_entities_survive_the_node(database: PrivateDatabase) -> None:
    entity = create(database.node(), "/plugins", name="foo", config={"level": "high"})
    assert ask(database.node(), "GET", "/plugins")[1]["data"] == [entity]


def test_a_node_with_a_database_has_no_declarative_configuration(database: PrivateDatabase) -> None:
    status, answer = ask(database.node(), "POST", "/config", {"_format_version": "3.0"})
    assert status == 400
    assert answer["message"].startswith("this endpoint is only available when Kong is configured to not use a database")
