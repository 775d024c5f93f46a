"""Error texts for keys of a stack file that depend on the variant of their object."""

import shlex
from collections.abc import Mapping
from typing import Any

from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.config.agent_config import ManagedAgentConfig
from traceable_kong.config.config_layout import FAMILIES, FLAT_KEYS, InvalidValue, field_of, variants_of
from traceable_kong.config.config_problem import Problem, shown
from traceable_kong.config.config_types import Part, Variant
from traceable_kong.config.kong_config import ManagedPostgresConfig
from traceable_kong.config.stack_config import AgentOnlyStack, GatewayStack

RULE = "other_variant"

_OWNER_SETS_IT = ("agentValues", "blockingMessage", "blockingStatusCode")


def key_of_another_variant(item: InvalidValue) -> Problem | None:
    """The problem that an object has a key that only another variant of it has; None for a key that no variant has."""
    stack, owner, key, name = item.stack, item.owner, item.key, item.name
    relatives = [variant for variant in FAMILIES.get(owner, ()) if field_of(variant, name)] if owner else []
    if stack is AgentOnlyStack and owner in (stack, ManagedAgentConfig):
        if not relatives and not (owner is stack and name in FLAT_KEYS):
            return None
        other = relatives[0] if owner is not stack else GatewayStack
        elsewhere = ", and set it in the stack of the gateway" if owner is stack else ""
        problem = _ignored(variants_of(stack)["gateway"], next(iter(variants_of(other).values())))
        return Problem(key, problem, f"{config_remove(key)}{elsewhere}", RULE)
    if not owner or not relatives:
        return None
    mine, theirs = min((_differing(owner, variant) for variant in relatives), key=len)[0]
    if owner is ManagedAgentConfig and name == "url":
        problem = f"does not apply to {mine}: a second agent would be installed, and nothing would report to it"
        return Problem(key, problem, theirs.switch, RULE)
    fix = config_remove(key)
    if owner is ManagedAgentConfig and name == "tmeImage":
        fix += "; for another registry, set agentValues.imageCredentials.registry and .registrySuffix"
    elif name in _OWNER_SETS_IT:
        fix += ", and ask the owner of the agent to set it"
    elif theirs.switch:
        fix += f", or {theirs.switch}"
    return Problem(key, _ignored(mine, theirs), fix, RULE)


def _ignored(variant: Variant, other: Variant) -> str:
    return f"does not apply to {variant}, only to {other.name}, and would be ignored"


def _differing(one: type[Part], other: type[Part]) -> list[tuple[Variant, Variant]]:
    """How two variants of the same object differ."""
    ones, others = variants_of(one), variants_of(other)
    return [(variant, others[key]) for key, variant in ones.items() if variant != others[key]]


def fixed_by_variant(item: InvalidValue) -> Problem | None:
    """The problem that a value is not the only one that its variant allows; None for any other wrong choice."""
    key, value = item.key, item.detail["input"]
    if item.stack is AgentOnlyStack and item.path == ("agent", "install") and value is False:
        return Problem(
            key,
            "is false, and so is gateway: there would be nothing left for this stack to install",
            f"{config_remove(key)}, or {config_set('gateway', 'true')}",
            RULE,
        )
    field = field_of(ManagedPostgresConfig, item.name) if item.owner is ManagedPostgresConfig else None
    if field is None or item.name == "managed":
        return None
    variant = variants_of(ManagedPostgresConfig)["managed"]
    return Problem(
        key,
        f"is {shown(value)}, and {variant} always has {shown(field.default)}: the value would be ignored",
        f"{config_remove(key)}, or {config_remove('kong.postgres.managed')}",
        RULE,
    )


def required_key(item: InvalidValue, raw: Mapping[str, Any]) -> Problem:
    """The problem that an object lacks a key. `raw` is the whole stack file."""
    key = item.key
    if item.path in (("kong", "postgres"), ("kong", "postgres", "host")):
        return Problem(
            key,
            "is missing, and kong.database is postgres: Kong would not start without a database",
            f"{config_set('kong.postgres.host', 'HOST')}, or for a development database "
            f"{config_set('kong.postgres.managed', 'true')}",
            "missing",
        )
    if item.path == ("kong", "postgres", "passwordSecret"):
        namespace = raw["kong"].get("namespace", "kong")
        namespace = shlex.quote(namespace) if isinstance(namespace, str) else "NAMESPACE"
        return Problem(
            key,
            "is missing: Kong could not log in to the database",
            f"kubectl --namespace {namespace} create secret generic NAME --from-file=password=FILE, then "
            f"{config_set(f'{key}.name', 'NAME')} and {config_set(f'{key}.key', 'password')}",
            "missing",
        )
    return Problem(
        key, f"is missing: {key.rpartition('.')[0]} is incomplete without it", config_set(key, "VALUE"), "missing"
    )
