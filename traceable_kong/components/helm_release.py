"""The Helm Releases of the agent and of Kong."""

from collections.abc import Mapping
from typing import Any

import pulumi

from traceable_kong.components.secret_outputs import with_secrets
from traceable_kong.plan.release_model import HelmRelease

MAX_HISTORY = 10
"""How many revisions Helm keeps; unlimited by default (https://helm.sh/docs/helm/helm_upgrade/, --history-max)."""


class Release(pulumi.CustomResource):
    """A Helm Release; its `properties` are named as in the provider's schema."""

    status: pulumi.Output[Mapping[str, Any]]

    def __init__(self, name: str, properties: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("kubernetes:helm.sh/v3:Release", name, {**properties, "compat": "true", "status": None}, opts)


def helm_release(
    logical_name: str, release: HelmRelease, *, import_existing: bool, opts: pulumi.ResourceOptions
) -> Release:
    """An awaited, atomic Release: Helm rolls back an upgrade that fails.

    Without `atomic`, a failed upgrade keeps its changes, and the next one does not revert them: Helm merges against the
    last deployed revision (https://helm.sh/docs/helm/helm_upgrade/, --atomic).

    `import_existing` imports the release that exists in the cluster and upgrades it in the same update
    (https://github.com/pulumi/docs/issues/18114). It has no effect on a Release that is in the state.
    """
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=release.protect))
    if import_existing:
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(import_=f"{release.namespace}/{release.name}"))
    chart = release.chart
    properties = {
        "name": release.name,
        "namespace": release.namespace,
        "chart": chart.reference,
        "version": chart.version,
        "repositoryOpts": {"repo": chart.repository} if chart.repository else None,
        "values": with_secrets(release.registered_values),
        "atomic": True,
        "timeout": release.timeout_seconds,
        "maxHistory": MAX_HISTORY,
    }
    return Release(logical_name, properties, opts)
