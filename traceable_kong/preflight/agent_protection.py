"""Whether a run would delete an agent that is protected against it: refused before anything is changed.

The engine would refuse as well, and only at the end of the run, when the gateway has rolled. What is protected is read
from the record of the last run, because `protect` of the engine's state is what counts there, and not this run's
config. Kong's own release is looked at in moved.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.common.commands import config_set
from traceable_kong.preflight.cached_reader import CachedReader, config_maps
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import Intent

LIFT = f"`{config_set('agent.protect', 'false')}`"


def recorded_parts(record: Mapping[str, Any]) -> list[str]:
    """The parts that the last run protected, by their config keys, from the data of its record."""
    said = str(record.get("protected", "")).split(",")
    return [part for part in ("kong", "agent") if part in said]


def protected_agent_stays(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The agent that the last run protected is this run's too, in the same namespace."""
    record = looks.get(f"{config_maps(intent.gateway.namespace)}/{intent.record}") or {}
    data = record.get("data") or {}
    if "agent" not in recorded_parts(data):
        return
    agent, stands = intent.agent, data.get("agentNamespace")
    subject = f"Helm release {intent.agent_release} in namespace {stands}"
    if agent is None or agent.release is None:
        what = "agent.install false" if intent.installed else "installed false"
        yield Finding(
            subject=subject,
            wrong=f"is protected against deletion (agent.protect), and with {what} it would be deleted",
            mend=f"lift the protection first, with the rest of the config as it was: {LIFT} and `pulumi up`; then this",
        )
    elif agent.namespace != stands and agent.protect:
        yield Finding(
            subject=subject,
            wrong="is protected against deletion (agent.protect), and with agent.namespace "
            f"{agent.namespace} it would be replaced by another one there, and deleted",
            mend=f"{LIFT} in the same `pulumi up`; or `{config_set('agent.namespace', str(stands))}`",
        )
