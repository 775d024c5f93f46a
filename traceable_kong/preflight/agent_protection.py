"""Whether an update would delete an agent that is protected against deletion.

The engine would refuse as well, but only at the end of the update, after the gateway has rolled. The record of the last
update says what is protected, because the engine goes by its state and not by the new config.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.common.commands import config_set
from traceable_kong.preflight.cached_reader import CachedReader, config_maps
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import Intent

UNPROTECT = f"`{config_set('agent.protect', 'false')}`"


def recorded_parts(record: Mapping[str, Any]) -> list[str]:
    """The config sections that the last update protected, from the data of its record."""
    recorded = str(record.get("protected", "")).split(",")
    return [part for part in ("kong", "agent") if part in recorded]


def protected_agent_stays(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """An agent that the last update protected stays, in the same namespace."""
    record = reader.get(f"{config_maps(intent.gateway.namespace)}/{intent.record}") or {}
    data = record.get("data") or {}
    if "agent" not in recorded_parts(data):
        return
    agent, current = intent.agent, data.get("agentNamespace")
    subject = f"Helm release {intent.agent_release} in namespace {current}"
    if agent is None or agent.release is None:
        change = "agent.install false" if intent.installed else "installed false"
        yield Finding(
            subject=subject,
            problem=f"is protected against deletion (agent.protect), and with {change} it would be deleted",
            fix=f"Remove the protection first, with the rest of the config as it was: {UNPROTECT} and `pulumi up`. "
            "Then make this change",
        )
    elif agent.namespace != current and agent.protect:
        yield Finding(
            subject=subject,
            problem="is protected against deletion (agent.protect), and with agent.namespace "
            f"{agent.namespace} it would be replaced and deleted",
            fix=f"Remove the protection in the same `pulumi up`: {UNPROTECT}. Or keep the namespace: "
            f"`{config_set('agent.namespace', str(current))}`",
        )
