"""Stacks whose Kong has a database, and the rows of it as somebody with the Admin API sees them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.postgres.postgres_server import Server
from tests.live.gateway import Gateway
from tests.live.stack import LiveStack
from tests.live.standing import gateway_pods

DATABASE_PASSWORD = "live-test-database-password"
QUICK = {"db_update_frequency": "1", "worker_state_update_frequency": "1"}
"""How often the nodes look for changes: what is waited for after every write follows from it."""


@contextmanager
def running_database(folder: Path) -> Iterator[Server]:
    """A PostgreSQL that exists, outside the cluster: it outlives every Kong."""
    server = Server.start(folder / "database", user="kong", password=DATABASE_PASSWORD, database="kong")
    try:
        yield server
    finally:
        server.stop()


def give_database(stack: LiveStack, server: Server, **kong: Any) -> None:
    """A namespace with the Secret of the password, as an administrator makes it, and the stack's config for it."""
    stack.kubectl("create", "namespace", stack.kong_namespace)
    give_secret(stack, "kong-postgres", password=DATABASE_PASSWORD)
    without_object_name(stack)
    stack.set(
        kong={
            **stack.configured("kong"),
            "createNamespace": False,
            "database": "postgres",
            "postgres": {
                "host": server.address,
                "port": server.port,
                "passwordSecret": {"name": "kong-postgres", "key": "password"},
                "tls": False,
            },
            **kong,
        },
        kongValues={**stack.configured("kongValues"), "env": QUICK},
    )


def without_object_name(stack: LiveStack) -> None:
    """With a database there is no KongClusterPlugin that could have a name."""
    stack.set(plugin={key: value for key, value in stack.configured("plugin").items() if key != "name"})


def give_secret(stack: LiveStack, name: str, **content: str) -> None:
    """A Secret in Kong's namespace."""
    metadata = {"name": name, "namespace": stack.kong_namespace}
    kind = "kubernetes.io/tls" if content.keys() == {"tls.crt", "tls.key"} else "Opaque"
    stack.apply({"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": metadata, "stringData": content})


def ask(stack: LiveStack, path: str, method: str = "GET", document: Any = None) -> Any:
    """A request to the Admin API, by way of a gateway pod."""
    pod = gateway_pods(stack)[0]["metadata"]["name"]
    gateway = Gateway(stack.platform, stack.kong_namespace)
    return gateway.ask(path, method=method, document=document, pod=pod)


def rows(stack: LiveStack) -> list[dict[str, Any]]:
    """The rows of the plugin."""
    return [item for item in ask(stack, "/plugins")["data"] if item["name"] == stack.gateway.plugin]


def row(stack: LiveStack) -> dict[str, Any]:
    (found,) = rows(stack)
    return found
