"""Helm as the agent and Kong use it: where a chart comes from, and a Release that rolls back by itself."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.secret_outputs import with_secrets
from traceable_kong.helm_values.chart import Chart

MAX_HISTORY = 10
"""Helm revisions that are kept; unlimited otherwise (https://helm.sh/docs/helm/helm_upgrade/, --history-max)."""


def helm_release(
    logical_name: str,
    *,
    name: str,
    namespace: str,
    chart: Chart,
    values: Mapping[str, Any],
    timeout_seconds: int,
    import_existing: bool,
    opts: pulumi.ResourceOptions,
) -> k8s.helm.v3.Release:
    """A Release that is awaited, and atomic: where it fails, it takes back what it changed.

    One that is not leaves its changes, and Helm merges the next upgrade against the last revision that was deployed,
    so that a revert would not take them back (https://helm.sh/docs/helm/helm_upgrade/, --atomic).

    `import_existing` True imports the one that exists, and upgrades it to what is said here in the same run
    (https://github.com/pulumi/docs/issues/18114). For a Release that is in the state it means nothing.
    """
    if import_existing:
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(import_=f"{namespace}/{name}"))
    return k8s.helm.v3.Release(
        logical_name,
        name=name,
        namespace=namespace,
        chart=chart.reference,
        version=chart.version,
        repository_opts=k8s.helm.v3.RepositoryOptsArgs(repo=chart.repository) if chart.repository else None,
        values=with_secrets(values),
        atomic=True,
        timeout=timeout_seconds,
        max_history=MAX_HISTORY,
        opts=opts,
    )
