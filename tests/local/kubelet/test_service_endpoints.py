"""Resolution of Service names."""

from typing import Any

import pytest

from local.kong.database import DatabaseError
from local.kubelet import service_endpoints
from local.kubelet.readiness_probes import Endpoint
from local.kubelet.webhook_router import SLICES
from tests.local.kubelet.pods import FakeKubeClient

SERVICE = {
    "metadata": {"namespace": "db", "name": "pg"},
    "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "sql", "port": 6432, "targetPort": 5432}]},
}
READY = {"conditions": {"ready": True}, "targetRef": {"name": "pg-0"}, "addresses": ["10.1.1.1"]}
PORTS = [{"name": "sql", "port": 5432}, {"name": "other", "port": 1}]


def api(*endpoints: dict[str, Any], service: dict[str, Any] = SERVICE) -> FakeKubeClient:
    slices = {"items": [{"ports": PORTS, "endpoints": list(endpoints)}, {"ports": PORTS, "endpoints": None}]}
    return FakeKubeClient({"/api/v1/namespaces/db/services/pg": service, SLICES.format("db", "pg"): slices})


def find_endpoint(namespace: str, pod: str, port: int) -> Endpoint | None:
    return Endpoint(address="127.9.9.9", port=10000 + port) if (namespace, pod) == ("db", "pg-0") else None


def resolve(found: FakeKubeClient, host: str, port: int = 6432, namespace: str = "kong") -> tuple[str, int]:
    return service_endpoints.resolve(found, find_endpoint, namespace, host, port)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["pg.db", "pg.db.svc", "pg.db.svc.cluster.local", "pg.db.svc.cluster.local."])
def test_every_form_of_the_name_resolves_to_the_ready_pod(host: str) -> None:
    assert {resolve(api(READY), host) for _ in range(20)} == {("127.9.9.9", 15432)}


def test_a_short_name_is_in_the_pods_namespace() -> None:
    assert resolve(api(READY), "pg", namespace="db") == ("127.9.9.9", 15432)
    with pytest.raises(DatabaseError, match="host or service not provided, or not known"):
        resolve(api(READY), "pg")


@pytest.mark.parametrize(
    "endpoints", [[], [{**READY, "conditions": {"ready": False}}], [{**READY, "targetRef": {"name": "x"}}]]
)
def test_without_a_ready_pod_the_connection_is_refused(endpoints: list[dict[str, Any]]) -> None:
    with pytest.raises(DatabaseError, match="connection refused"):
        resolve(api(*endpoints), "pg.db")


def test_a_port_that_the_service_does_not_have() -> None:
    with pytest.raises(DatabaseError, match="timeout"):
        resolve(api(READY), "pg.db", 5432)


def test_a_headless_service_resolves_to_the_port_of_the_pod() -> None:
    headless = {**SERVICE, "spec": {"clusterIP": "None", "ports": []}}
    assert resolve(api(READY, service=headless), "pg.db", 5432) == ("127.9.9.9", 15432)


def test_a_service_without_pods_resolves_to_its_addresses() -> None:
    outside = {"conditions": {"ready": True}, "addresses": ["192.0.2.7"]}
    assert resolve(api(outside), "pg.db") == ("192.0.2.7", 5432)


def test_other_hosts_are_not_changed() -> None:
    assert resolve(api(), "127.0.0.1", 15432) == ("127.0.0.1", 15432)
    assert resolve(api(), "localhost", 15432) == ("localhost", 15432)
    with pytest.raises(DatabaseError, match="not known"):
        resolve(api(), "pg.db.example.invalid")
