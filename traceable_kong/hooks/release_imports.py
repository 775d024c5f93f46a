"""Which Helm releases this update imports instead of installing them.

Two kinds: releases that no stack manages and that the config adopts (`kong.adopt`, `agent.adopt`), and releases of this
stack that serve. The engine only imports what is not in its state
(https://www.pulumi.com/docs/iac/concepts/resources/options/import/), so the second kind matters after an update was
interrupted between the end of Helm and the engine's next checkpoint: what serves is imported, not uninstalled.
Preflight checks whether a release can be adopted (preflight/release_adoption.py).
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from traceable_kong.cluster.agent_objects import AGENT_RELEASE
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.common.commands import on_cluster
from traceable_kong.common.nested_data import has_secrets
from traceable_kong.config.agent_config import ManagedAgentConfig
from traceable_kong.config.kong_config import ManagedKongConfig
from traceable_kong.config.stack_config import GatewayStack, StackConfig
from traceable_kong.preflight.cached_reader import Reader
from traceable_kong.preflight.helm_releases import newest_revision, serving

IMPORTABLE = ("deployed", "failed")
"""Statuses in which Helm accepts an upgrade."""


def releases_to_import(
    stack: StackConfig, cluster: ClusterTarget, seen: Reader, owner: str, *, preview: bool
) -> frozenset[str]:
    """`kong`, `agent`, both or neither. `seen` is the cluster as preflight has read it, `owner` this stack's id.

    Raises pulumi.RunError if a release cannot be read: one that is taken for missing would be overwritten or removed. A
    preview that adopts nothing continues, because it changes nothing.
    """
    gateway = stack if isinstance(stack, GatewayStack) else None
    asked: list[tuple[str, str, str, bool, Mapping[str, Any]]] = []
    if gateway and isinstance(kong := gateway.kong, ManagedKongConfig):
        asked.append(("kong", kong.namespace, kong.release, kong.adopt, kong.values))
    if isinstance(agent := stack.agent, ManagedAgentConfig) and (gateway is None or gateway.installed):
        asked.append(("agent", agent.namespace, AGENT_RELEASE, agent.adopt, agent.values))
    found = set()
    for key, namespace, name, adopt, values in asked:
        try:
            if _is_to_import(seen, namespace, name, owner, adopt=adopt, values=values):
                found.add(key)
        except (ApiError, Unreachable) as problem:
            if preview and not adopt:
                continue  # Preflight reads the same, and reports it.
            raise pulumi.RunError(
                on_cluster(
                    f"Helm release {name} in namespace {namespace} could not be read: {problem}. It cannot be "
                    "determined whether it exists and which stack manages it. Nothing was changed. Check your "
                    f"permission with `kubectl auth can-i list secrets --namespace {namespace}`, then try again.",
                    cluster.command_options,
                )
            ) from None
    return frozenset(found)


def _is_to_import(
    seen: Reader, namespace: str, name: str, owner: str, *, adopt: bool, values: Mapping[str, Any]
) -> bool:
    newest = newest_revision(seen, namespace, name)
    if newest is None:
        return False
    if newest.owner is None:
        return adopt
    # An import writes the values into the state as plain text, until the upgrade that follows.
    ours = newest.owner == owner and newest.status in IMPORTABLE and not has_secrets(values)
    return ours and bool(serving(seen, namespace, name))
