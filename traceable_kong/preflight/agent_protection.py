"""Whether an update would delete an agent that is protected against deletion.

The engine would refuse as well, but only at the end of the update, after the gateway has rolled. The record of the last
update says what is protected, because the engine goes by its state and not by the new config.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.agent_objects import AGENT_RELEASE
from traceable_kong.common.commands import config_set
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.installation_record import recorded

UNPROTECT = f"`{config_set('agent.protect', 'false')}`"


def recorded_parts(record: Mapping[str, Any]) -> list[str]:
    """The config sections that the last update protected, from the data of its record."""
    recorded = str(record.get("protected", "")).split(",")
    return [part for part in ("kong", "agent") if part in recorded]


def protected_agent_stays(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """An agent that the last update protected stays, in the same namespace."""
    data = recorded(reader, plan)
    if "agent" not in recorded_parts(data):
        return
    agent, current = plan.agent, data.get("agentNamespace")
    subject = f"Helm release {AGENT_RELEASE} in namespace {current}"
    if not isinstance(agent, ManagedAgent):
        change = "agent.install false" if gateway.installed else "installed false"
        yield Finding(
            subject=subject,
            problem=f"is protected against deletion (agent.protect), and with {change} it would be deleted",
            fix=f"Remove the protection first, with the rest of the config as it was: {UNPROTECT} and `pulumi up`. "
            "Then make this change",
        )
    elif agent.namespace != current and agent.release.protect:
        yield Finding(
            subject=subject,
            problem="is protected against deletion (agent.protect), and with agent.namespace "
            f"{agent.namespace} it would be replaced and deleted",
            fix=f"Remove the protection in the same `pulumi up`: {UNPROTECT}. Or keep the namespace: "
            f"`{config_set('agent.namespace', str(current))}`",
        )
