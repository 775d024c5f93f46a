"""Stacks whose Kong has a database, and the plugin entities in it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.kubelet import loaded_plugins
from local.postgres.postgres_server import Server
from tests.live.cluster_state import gateway_pods
from tests.live.helm_gateway import HelmGateway
from tests.live.stack import LiveStack, Recording
from tests.recorder.plugin_entity_promises import violations

DATABASE_PASSWORD = "live-test-database-password"
DATABASE_HOST = "localhost"
FAST_UPDATES = {"db_update_frequency": "1", "worker_state_update_frequency": "1"}
"""How often the nodes look for changes, in seconds: the program waits for that after every write."""


@contextmanager
def running_database(folder: Path) -> Iterator[Server]:
    """A PostgreSQL outside the cluster, which outlives every Kong."""
    server = Server.start(folder / "database", user="kong", password=DATABASE_PASSWORD, database="kong")
    try:
        yield server
    finally:
        server.stop()


def use_database(stack: LiveStack, server: Server, **kong: Any) -> None:
    """Creates the namespace and the Secret with the password, as an administrator does, and configures the stack.

    A Service names the database, because an address on loopback is refused: in a cluster it is that of a pod.
    """
    stack.kubectl("create", "namespace", stack.kong_namespace)
    create_secret(stack, "kong-postgres", password=DATABASE_PASSWORD)
    stack.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "database", "namespace": stack.kong_namespace},
            "spec": {"type": "ExternalName", "externalName": DATABASE_HOST},
        }
    )
    unset_object_name(stack)
    stack.update(
        "kong",
        createNamespace=False,
        database="postgres",
        postgres={
            "host": f"database.{stack.kong_namespace}.svc",
            "port": server.port,
            "passwordSecret": {"name": "kong-postgres", "key": "password"},
            "tls": False,
        },
        **kong,
    )
    stack.update("kongValues", env=FAST_UPDATES)


def unset_object_name(stack: LiveStack) -> None:
    """Removes `plugin.name`: with a database there is no KongClusterPlugin that it could name."""
    stack.set(plugin={key: value for key, value in stack.configured("plugin").items() if key != "name"})


def create_secret(stack: LiveStack, name: str, **content: str) -> None:
    """A Secret in Kong's namespace."""
    metadata = {"name": name, "namespace": stack.kong_namespace}
    kind = "kubernetes.io/tls" if content.keys() == {"tls.crt", "tls.key"} else "Opaque"
    stack.apply({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": metadata, "stringData": content})


@contextmanager
def recorded_nodes(stack: LiveStack) -> Iterator[Recording]:
    """Records the stack's gateway and what its Kong nodes load; fails where a promise was broken meanwhile."""
    with stack.recorded() as recording:
        since = time.time()
        yield recording
    broken = violations(recording.history, stack.gateway, loaded_plugins.read(stack.kong_namespace), since=since)
    assert not broken, "\n".join(["promises were broken:", *map(str, broken)])


def admin_request(stack: LiveStack, path: str, method: str = "GET", document: Any = None) -> Any:
    """A request to the Admin API of a gateway pod."""
    pod = gateway_pods(stack)[0]["metadata"]["name"]
    gateway = HelmGateway(stack.platform, stack.kong_namespace)
    return gateway.request(path, method=method, document=document, pod=pod)


def plugin_entities(stack: LiveStack) -> list[dict[str, Any]]:
    """The entities of the Traceable plugin."""
    return [item for item in admin_request(stack, "/plugins")["data"] if item["name"] == stack.gateway.plugin]


def plugin_entity(stack: LiveStack) -> dict[str, Any]:
    (found,) = plugin_entities(stack)
    return found
