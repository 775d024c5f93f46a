"""Which Helm releases this update imports instead of installing them.

Two kinds: releases that no stack manages and that the config adopts (`kong.adopt`, `agent.adopt`), and releases of this
stack that serve. The engine only imports what is not in its state
(https://www.pulumi.com/docs/iac/concepts/resources/options/import/), so the second kind matters after an update was
interrupted between the end of Helm and the engine's next checkpoint: what serves is imported, not uninstalled.
release_adoption.py checks whether a release can be adopted.
"""

from traceable_kong.cluster.api_objects import Reader
from traceable_kong.cluster.helm_releases import newest_revision, serving
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.common.safe_text import PlainError
from traceable_kong.plan.model import Plan
from traceable_kong.plan.release_model import HelmRelease, ReleaseKey

IMPORTABLE = ("deployed", "failed")
"""Statuses in which Helm accepts an upgrade."""


class ReleaseUnreadable(PlainError):
    """It cannot be determined whether a release has to be imported."""


Imports = frozenset[ReleaseKey]
"""The Helm releases that exist and that this update takes into the state."""


def releases_to_import(plan: Plan, reader: Reader, *, preview: bool) -> Imports:
    """The keys of the releases to import. `reader` is what run_preflight() returned.

    Raises ReleaseUnreadable: a release that is taken for missing would be overwritten or removed. A preview that adopts
    nothing continues, because it changes nothing.
    """
    found: set[ReleaseKey] = set()
    for release in plan.releases:
        namespace, name = release.namespace, release.name
        try:
            if _is_to_import(reader, release, plan.owner):
                found.add(release.key)
        except (ApiError, Unreachable) as problem:
            if preview and not release.adopt:
                continue  # Preflight reads the same, and reports it.
            raise ReleaseUnreadable(
                f"Helm release {name} in namespace {namespace} could not be read: {problem}. It cannot be determined "
                "whether it exists and which stack manages it. Nothing was changed. Check your permission with "
                f"`kubectl auth can-i list secrets --namespace {namespace}`, then try again."
            ) from None
    return frozenset(found)


def _is_to_import(reader: Reader, release: HelmRelease, owner: str) -> bool:
    newest = newest_revision(reader, release.namespace, release.name)
    if newest is None:
        return False
    if newest.owner is None:
        return release.adopt
    # An import writes the values into the state as plain text, until the upgrade that follows.
    importable = newest.owner == owner and newest.status in IMPORTABLE and not release.secret_values
    return importable and bool(serving(reader, release.namespace, release.name))
