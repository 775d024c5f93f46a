"""The plan for the gateway of tests/fakes/protected_gateway.py: Deployment gw/edge-kong, with the same plugin files."""

from typing import Any

from tests.fakes import plans
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plugin.rock import Rock

OWNER = "traceable-kong.test-0a1b2c3d"

ROCK = Rock(
    version="2.1.2-1",
    sha256="c" * 64,
    plugins={"traceable": {"handler.lua": b"return {}", "x.so": b"\xff", "utils/a.lua": b""}},
)

UNINSTALLED: dict[str, Any] = {"installed": False, "enabled": False}

EXISTING_KONG: dict[str, Any] = {"install": False, "release": None, "deployment": "edge-kong"}

POSTGRES: dict[str, Any] = {
    "createNamespace": False,
    "database": "postgres",
    "postgres": {"host": "db", "passwordSecret": {"name": "pg", "key": "password"}},
}


def plan(*, kong: dict[str, Any] | None = None, **config: Any) -> Plan:
    section = {"namespace": "gw", "release": "edge", **(kong or {})}
    section = {key: value for key, value in section.items() if value is not None}
    return plans.plan(rock=ROCK, owner=OWNER, kong=section, **config)


def gateway_of(made: Plan) -> Gateway:
    assert made.gateway is not None
    return made.gateway


def target(client: KubernetesClient, *, context: str | None = None) -> ClusterTarget:
    """A cluster whose connection is `client`."""
    made = ClusterTarget(kubeconfig=None, context=context)
    made.__dict__["api"] = client
    return made
