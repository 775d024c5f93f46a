"""A container of PostgreSQL's official image: a real instance with its data in the mounted volume."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.kubelet import container_processes, readiness_probes, volume_provisioner
from local.kubelet.container_config import MissingSource
from local.kubelet.postgres_process import PostgresProcess
from tests.local.kubelet.pods import FakeKubeClient, pod
from tests.local.kubelet.test_volume_provisioner import CLAIM

READY = {"readinessProbe": {"exec": {"command": ["sh", "-c", "exec pg_isready -U kong"]}}}


@pytest.fixture
def claimed(pod_context: container_processes.PodContext, tmp_path: Path) -> container_processes.PodContext:
    """A pod with a claim that is bound to a volume."""
    bound = {**CLAIM, "spec": {**CLAIM["spec"], "volumeName": "pvc-1"}}
    pod_context.api = FakeKubeClient(  # type: ignore[assignment]
        {
            "/api/v1/namespaces/ns/persistentvolumeclaims/data-pg-0": bound,
            f"{volume_provisioner.VOLUMES}/pvc-1": volume_provisioner.volume_for(CLAIM, "n", tmp_path / "volumes"),
        }
    )
    pod_context.pod = pod({}, volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data-pg-0"}}])
    return pod_context


def container(mount: str = "", image: str = "postgres:17", **env: str) -> dict[str, Any]:
    return {
        "name": "postgres",
        "image": image,
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "volumeMounts": [{"name": "data", "mountPath": mount}] if mount else [],
        **READY,
    }


def connect(process: PostgresProcess, **how: str) -> "psycopg.Connection[Any]":
    endpoint = process.endpoints[5432]
    return psycopg.connect(host=endpoint.address, port=endpoint.port, **how)  # type: ignore[arg-type]


def test_data_in_a_claim_survives_the_pod(claimed: container_processes.PodContext) -> None:
    settings = {"POSTGRES_USER": "kong", "POSTGRES_PASSWORD": "x", "POSTGRES_DB": "gateway"}
    spec = container("/var/lib/postgresql/data", **settings, PGDATA="/var/lib/postgresql/data/pgdata")
    first, second = PostgresProcess(claimed, spec), PostgresProcess(claimed, spec)
    first.start()
    assert readiness_probes.passes(spec, first.endpoints)
    with connect(first, user="kong", password="x", dbname="gateway") as connection:
        connection.execute("CREATE TABLE kept (value int)")
    with pytest.raises(MissingSource, match="the previous pod still uses"):
        second.start()
    first.check()
    first.stop()
    assert not first.endpoints
    second.start()
    with connect(second, user="kong", password="x", dbname="gateway") as connection:
        connection.execute("SELECT * FROM kept")
    second.stop()


def test_data_outside_a_claim_is_deleted_with_the_pod(claimed: container_processes.PodContext, tmp_path: Path) -> None:
    process = PostgresProcess(claimed, container("/elsewhere", POSTGRES_PASSWORD="x"))
    process.start()
    with connect(process, user="postgres", password="x", dbname="postgres") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    process.stop()
    assert (claimed.directory / "pgdata").exists() and not (tmp_path / "volumes").exists()


def test_an_instance_that_ends_is_noticed(pod_context: container_processes.PodContext) -> None:
    process = PostgresProcess(pod_context, container(POSTGRES_PASSWORD="x"))
    process.start()
    assert process._server
    process._server.stop()
    with pytest.raises(container_processes.ProcessFailed, match="database system is shut down"):
        process.check()
    process.stop()


def test_the_first_start_requires_a_password(pod_context: container_processes.PodContext) -> None:
    with pytest.raises(container_processes.ProcessFailed, match="superuser password is not specified"):
        PostgresProcess(pod_context, container()).start()


@pytest.mark.parametrize("image", ["postgres:18-alpine", "postgres"])
def test_the_data_folder_is_different_from_version_18_on(claimed: container_processes.PodContext, image: str) -> None:
    with pytest.raises(container_processes.ProcessFailed, match=r"in 18\+, these Docker images"):
        PostgresProcess(claimed, container("/var/lib/postgresql/data", image, POSTGRES_PASSWORD="x")).start()


@pytest.mark.parametrize(
    ("mount", "image", "folder"),
    [
        ("/var/lib/postgresql", "postgres:18", "pvc-1/18/docker/pgdata"),
        ("/var/lib/postgresql/data", "postgres:17.2", "pvc-1/pgdata"),
        ("/var/lib/postgresql/data", "postgres:18@sha256:0", None),
    ],
)
def test_the_data_folder(
    claimed: container_processes.PodContext, tmp_path: Path, mount: str, image: str, folder: str | None
) -> None:
    process = PostgresProcess(claimed, container(mount, image))
    if folder:
        assert process._folder({}) == tmp_path / "volumes" / folder
    else:
        assert process._folder({"PGDATA": mount}) == tmp_path / "volumes" / "pvc-1/pgdata"
