"""Which Helm releases this update imports instead of installing them.

Two kinds: those that exist without any stack's mark and that the config names (`kong.adopt`, `agent.adopt`), and those
that carry this stack's own mark and serve. The engine imports only what is not in its state
(https://www.pulumi.com/docs/iac/concepts/resources/options/import/), so the second kind matters where an update was
interrupted between Helm's end and the engine's next checkpoint: what serves is taken into the state, not uninstalled.
Whether a release can be adopted is preflight's question (preflight/release_adoption.py).
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from traceable_kong.cluster.agent_objects import AGENT_RELEASE
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.common.commands import on_cluster
from traceable_kong.common.nested_data import has_secrets
from traceable_kong.config.stack_config import StackConfig
from traceable_kong.preflight.cached_reader import Reader
from traceable_kong.preflight.helm_releases import newest_of, serving

IMPORTABLE = ("deployed", "failed")
"""Statuses in which Helm takes an upgrade."""


def releases_to_import(
    settings: StackConfig, cluster: ClusterTarget, seen: Reader, owner: str, *, preview: bool
) -> frozenset[str]:
    """`kong`, `agent`, both or neither. `seen` is the cluster as preflight has read it, `owner` this stack's id.

    An error while asking stops the run: a release that was taken for missing would be installed over, or removed.
    A preview that adopts nothing goes on, because it changes nothing. Raises pulumi.RunError.
    """
    kong, agent = settings.kong, settings.agent
    asked: list[tuple[str, str, str, bool, Mapping[str, Any]]] = []
    if settings.gateway and kong.install:
        asked.append(("kong", kong.namespace, kong.release, kong.adopt, settings.kong_values))
    if agent.install and settings.installed:
        asked.append(("agent", agent.namespace, AGENT_RELEASE, agent.adopt, settings.agent_values))
    found = set()
    for key, namespace, name, adopt, values in asked:
        try:
            if _is_to_import(seen, namespace, name, owner, adopt=adopt, values=values):
                found.add(key)
        except (ApiError, Unreachable) as problem:
            if preview and not adopt:
                continue  # Preflight, which reads the same, says that it could not.
            raise pulumi.RunError(
                on_cluster(
                    f"Helm release {name} in namespace {namespace} could not be read, so it cannot be determined "
                    f"whether it exists and whose it is: {problem}. Nothing was changed. Run the same again; `kubectl "
                    f"auth can-i list secrets --namespace {namespace}` says whether you may read it.",
                    cluster.command_options,
                )
            ) from None
    return frozenset(found)


def _is_to_import(
    seen: Reader, namespace: str, name: str, owner: str, *, adopt: bool, values: Mapping[str, Any]
) -> bool:
    newest = newest_of(seen, namespace, name)
    if newest is None:
        return False
    if newest.owner is None:
        return adopt
    # An import writes the release's values into the state as plain text until the upgrade that follows it.
    ours = newest.owner == owner and newest.status in IMPORTABLE and not has_secrets(values)
    return ours and bool(serving(seen, namespace, name))
