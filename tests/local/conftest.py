"""Fixtures for the platform's tests: one real PostgreSQL, databases on it, and a pod's context."""

import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local import certificates
from local.kubelet import container_processes
from local.kubelet.listeners import Addresses
from local.postgres import postgres_server
from local.postgres.postgres_server import Server
from tests.local.kong.databases import PASSWORD, PrivateDatabase
from tests.local.kubelet.pods import CONTROLLER, KONG, TME, FakeKubeClient, pod


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("postgres") / "data"
    running = Server.start(folder, user="kong", password=PASSWORD)
    yield running
    running.stop()
    postgres_server.remove(folder)


@pytest.fixture
def empty_database(postgres: Server) -> PrivateDatabase:
    """A database that is not bootstrapped."""
    name = f"kong_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres.conninfo(PASSWORD), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return PrivateDatabase(postgres, name)


@pytest.fixture
def database(empty_database: PrivateDatabase) -> PrivateDatabase:
    """A bootstrapped database."""
    empty_database.migrate("bootstrap")
    return empty_database


@pytest.fixture
def address() -> str:
    return Addresses(Path(__file__)).allocate()


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    certificates.ensure(tmp_path / "tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls" / certificates.SERVER_FILE)
    return context


@pytest.fixture
def pod_context(address: str, tmp_path: Path, tls: ssl.SSLContext) -> container_processes.PodContext:
    return container_processes.PodContext(
        api=FakeKubeClient({}),  # type: ignore[arg-type]
        pod=pod(CONTROLLER, KONG, TME),
        address=address,
        directory=tmp_path / "pod",
        controller_binary=tmp_path / "none",
        tls=tls,
        fault_file=tmp_path / "faults.json",
        loaded=tmp_path / "loaded",
    )
