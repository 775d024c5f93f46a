"""One real PostgreSQL for the tests of this folder, and a database of its own for each that asks."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from local.postgres import server
from local.postgres.server import Server
from tests.gateways.databases import PASSWORD, PrivateDatabase


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("postgres") / "data"
    running = Server.start(folder, user="kong", password=PASSWORD)
    yield running
    running.stop()
    server.remove(folder)


@pytest.fixture
def empty_database(postgres: Server) -> PrivateDatabase:
    """A database that Kong has not been in yet."""
    name = f"kong_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres.conninfo(PASSWORD), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return PrivateDatabase(postgres, name)


@pytest.fixture
def database(empty_database: PrivateDatabase) -> PrivateDatabase:
    """A database that is bootstrapped."""
    empty_database.migrate("bootstrap")
    return empty_database
