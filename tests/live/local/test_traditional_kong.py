"""A Kong with a database on the embedded platform: PostgreSQL, migrations, nodes, and the real ingress controller."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import paths
from local.kong import migrations
from local.kong.database import Database
from local.kong.kong_config import KongConfig
from local.kubelet import faults, loaded_plugins
from local.platform import Platform
from local.postgres.postgres_server import Server
from tests.live.commands import wait_until
from tests.live.helm_gateway import HelmGateway
from tests.live.local import postgres_manifests
from tests.live.local.postgres_manifests import PASSWORD

MANAGED = "managed-by-ingress-controller"


@pytest.fixture
def namespace(platform: Platform) -> Iterator[HelmGateway]:
    """A namespace for plain manifests."""
    made = HelmGateway(platform)
    made.kubectl("create", "namespace", made.name)
    yield made
    faults.clear(made.name)
    made.kubectl("delete", "namespace", made.name, "--wait=false")


@pytest.fixture
def gateway(platform: Platform) -> Iterator[HelmGateway]:
    made = HelmGateway(platform)
    yield made
    made.remove()


def apply(gateway: HelmGateway, *documents: dict[str, Any]) -> None:
    gateway.run("kubectl", "apply", "--filename", "-", stdin=yaml.safe_dump_all(documents))


def named(gateway: HelmGateway, label: str) -> list[dict[str, Any]]:
    return [item for item in gateway.pods() if item["metadata"]["labels"].get("app") == label]


def ready(pod: dict[str, Any]) -> bool:
    return any(item["ready"] for item in pod["status"].get("containerStatuses", []))


def admin(gateway: HelmGateway, pod: dict[str, Any], method: str, path: str, document: Any = None) -> Any:
    return gateway.request(path, method=method, document=document, pod=pod["metadata"]["name"])


def test_a_database_its_migrations_and_its_nodes(namespace: HelmGateway) -> None:
    apply(
        namespace,
        postgres_manifests.nodes(namespace.name, 2),
        postgres_manifests.migration(namespace.name, "bootstrap"),
    )
    (pod,) = [item for item in wait_until(lambda: namespace.pods()) if "job-name" in item["metadata"]["labels"]]
    waiting = wait_until(lambda: named(namespace, "kong"))
    assert all(item["status"]["phase"] == "Pending" for item in waiting)

    apply(namespace, *postgres_manifests.postgres(namespace.name))
    wait_until(lambda: [ready(item) for item in named(namespace, "postgres")] == [True])
    namespace.kubectl(
        "wait", "--for=condition=complete", "job/bootstrap", "--namespace", namespace.name, "--timeout=60s"
    )
    shown = json.loads(
        namespace.kubectl("get", "pod", pod["metadata"]["name"], "--namespace", namespace.name, "-o", "json")
    )
    assert shown["status"]["phase"] == "Succeeded"
    wait_until(lambda: [ready(item) for item in named(namespace, "kong")] == [True, True])

    one, other = named(namespace, "kong")
    entity = admin(namespace, one, "POST", "/plugins", {"name": "cors"})
    assert admin(namespace, other, "GET", "/plugins")["data"] == [entity]

    def seen() -> list[list[str]]:
        return [[item["id"] for item in history[-1][1]] for history in loaded_plugins.read(namespace.name).values()]

    wait_until(lambda: seen() == [[entity["id"]], [entity["id"]]])

    # A new pod of the database has the data of the previous one.
    namespace.kubectl("delete", "pod", "postgres-0", "--namespace", namespace.name)
    wait_until(lambda: [ready(item) for item in named(namespace, "postgres")] == [True])
    assert admin(namespace, one, "GET", f"/plugins/{entity['id']}") == entity
    namespace.kubectl("rollout", "restart", "deployment/kong", "--namespace", namespace.name)
    namespace.kubectl("rollout", "status", "deployment/kong", "--namespace", namespace.name, "--timeout=60s")
    assert admin(namespace, named(namespace, "kong")[0], "GET", "/plugins")["data"] == [entity]

    faults.inject(namespace.name, database="down")
    wait_until(lambda: not any(ready(item) for item in named(namespace, "kong")))
    faults.clear(namespace.name)
    wait_until(lambda: [ready(item) for item in named(namespace, "kong")] == [True, True])

    # The data is deleted with the claim.
    (volume,) = volumes(namespace)
    assert Path(volume).exists() and Path(volume).is_relative_to(paths.KUBELET)
    namespace.kubectl("delete", "statefulset", "postgres", "--namespace", namespace.name)
    wait_until(lambda: not volumes(namespace) and not Path(volume).exists())


def volumes(gateway: HelmGateway) -> list[str]:
    """Returns the folders of the namespace's volumes."""
    shown = json.loads(gateway.kubectl("get", "persistentvolumes", "--output", "json"))
    return [
        item["spec"]["hostPath"]["path"]
        for item in shown["items"]
        if item["spec"]["claimRef"]["namespace"] == gateway.name
    ]


def test_a_failed_migration_is_retried_up_to_the_limit_of_its_job(namespace: HelmGateway) -> None:
    secret, *_ = postgres_manifests.postgres(namespace.name)
    apply(namespace, secret, postgres_manifests.migration(namespace.name, "bootstrap", backoffLimit=0))
    namespace.kubectl("wait", "--for=condition=failed", "job/bootstrap", "--namespace", namespace.name, "--timeout=60s")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Returns the properties of a bootstrapped database on this machine."""
    server = Server.start(tmp_path / "data", user="kong", password=PASSWORD, database="kong")
    env = {
        "database": "postgres",
        "pg_host": server.address,
        "pg_port": str(server.port),
        "pg_password": PASSWORD,
        "db_update_frequency": "1",
        "worker_state_update_frequency": "1",
    }
    settings = KongConfig({f"KONG_{name.upper()}": value for name, value in env.items()}, {})
    migrations.run("bootstrap", settings, Database(settings))
    yield env
    server.stop()


def test_the_controller_writes_entities_and_ignores_those_of_others(
    gateway: HelmGateway, database: dict[str, str]
) -> None:
    gateway.install(env=database)
    other = gateway.request(
        "/plugins", method="POST", document={"name": "foo", "config": {"level": "high"}, "tags": ["other"]}
    )
    backend = {"service": {"name": "nothing", "port": {"number": 80}}}
    rule = {"http": {"paths": [{"path": "/here", "pathType": "Prefix", "backend": backend}]}}
    apply(
        gateway,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "nothing", "namespace": gateway.name},
            "spec": {"ports": [{"port": 80}]},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "here", "namespace": gateway.name},
            "spec": {"ingressClassName": gateway.name, "rules": [rule]},
        },
    )

    def written() -> list[dict[str, Any]]:
        return [item for item in gateway.request("/routes")["data"] if item["paths"] == ["/here/", "~/here$"]]

    (route,) = wait_until(written)
    assert MANAGED in route["tags"]
    gateway.apply_plugin(f"{gateway.name}-mine", plugin="cors")
    wait_until(lambda: sorted(name for name, _ in gateway.enabled_plugins()) == ["cors", "foo"])
    gateway.kubectl("delete", "ingress", "here", "--namespace", gateway.name)
    wait_until(lambda: gateway.request("/routes")["data"] == [])
    time.sleep(2)
    assert gateway.request(f"/plugins/{other['id']}") == other
    assert all(item["ready"] for item in gateway.containers().values())
