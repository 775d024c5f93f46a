"""A gateway in a cluster in memory, with an Admin API in its pods, and Secrets in its namespace."""

import base64
from typing import Any

from tests.fakes.admin_api import Admin
from tests.fakes.fake_kubernetes import FakeKubernetes
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint

NAMESPACE = "/api/v1/namespaces/gw"
GATEWAY = KongDeployment(namespace="gw", name="edge-kong", container="proxy")
DEPLOYMENT = "/apis/apps/v1/namespaces/gw/deployments/edge-kong"


def endpoint(**changes: Any) -> AdminEndpoint:
    return AdminEndpoint(**{"deployment": GATEWAY, **changes})


def cluster(admin: Admin | None = None, *pods: str) -> FakeKubernetes:
    """A cluster with these ready pods, one by default."""
    fake = FakeKubernetes()
    fake.put(DEPLOYMENT, {"spec": {"selector": {"matchLabels": {"app": "edge"}}}})
    for name in pods or ("gw-1",):
        add_pod(fake, name, admin)
    return fake


def add_pod(fake: FakeKubernetes, name: str, admin: Admin | None, *, ready: bool = True) -> None:
    containers = [{"name": "proxy", "env": [{"name": "KONG_ADMIN_LISTEN", "value": "127.0.0.1:8001"}]}]
    fake.put(
        f"{NAMESPACE}/pods/{name}",
        {
            "metadata": {"labels": {"app": "edge"}},
            "spec": {"containers": containers},
            "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
        },
    )
    if admin is not None:
        fake.listeners[name, 8001] = admin.serve


def add_secret(fake: FakeKubernetes, name: str, **data: str) -> None:
    encoded = {key.replace("_", "."): base64.b64encode(text.encode()).decode() for key, text in data.items()}
    fake.put(f"{NAMESPACE}/secrets/{name}", {"data": encoded})
