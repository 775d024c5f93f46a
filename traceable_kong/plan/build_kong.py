"""Kong's part of the plan: one that this stack installs with its chart, or an existing one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceable_kong.cluster import ownership
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.ownership import StackIdentity
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.nested_data import keyed_digest, merged, revealed, secret_leaves
from traceable_kong.config.config_problem import Problem
from traceable_kong.config.kong_config import (
    ExistingKongConfig,
    ManagedKongConfig,
    ManagedPostgresConfig,
    ManagedPostgresKongConfig,
)
from traceable_kong.deployment_patch.pod_template import PatchSpec
from traceable_kong.helm_values.chart import Chart
from traceable_kong.helm_values.kong_database import (
    ExternalPostgres,
    ManagedPostgres,
    Postgres,
    long_name,
    postgres_name,
)
from traceable_kong.helm_values.kong_values import kong_fullname, kong_value_problems, kong_values
from traceable_kong.plan.kong_model import ExistingKong, Kong, ManagedKong
from traceable_kong.plan.release_model import HelmRelease
from traceable_kong.plugin.config_maps import PluginConfigMap, chart_entries, mount_paths

KONG_CONTAINER = "proxy"
"""Kong's container in the chart's Deployment (kong chart 3.4.1)."""

HELM_STEPS_WITH_DATABASE = 3
"""With a database Helm runs Jobs before and after it waits for the pods, each as long as the wait."""


def kong_problems(kong: ManagedKongConfig | ExistingKongConfig) -> Iterator[Problem]:
    """What in the chart values of a managed Kong conflicts with what this stack needs."""
    if not isinstance(kong, ManagedKongConfig):
        return
    database = _database(kong)
    if database is not None:
        yield from long_name(kong_fullname(kong.release, revealed(kong.values)))
    yield from kong_value_problems(revealed(kong.values), database)


def build_kong(
    kong: ManagedKongConfig | ExistingKongConfig,
    identity: StackIdentity,
    config_maps: Sequence[PluginConfigMap],
    pod_selector: Mapping[str, Any],
    chart_files: Mapping[str, str],
) -> Kong:
    """The gateway with these files. `pod_selector` is what an existing Kong's Deployment selects its pods by,
    `chart_files` as in PlanInputs.

    The chart values of a managed Kong have no problem by `kong_problems`.
    """
    if isinstance(kong, ManagedKongConfig):
        return _managed(kong, identity, config_maps, chart_files)
    return _existing(kong, config_maps, pod_selector)


def _managed(
    kong: ManagedKongConfig,
    identity: StackIdentity,
    config_maps: Sequence[PluginConfigMap],
    chart_files: Mapping[str, str],
) -> ManagedKong:
    chart, user_values, database = Chart(**kong.chart.model_dump()), revealed(kong.values), _database(kong)
    fullname = kong_fullname(kong.release, user_values)
    values = kong_values(
        user_values, plugin_entries=chart_entries(config_maps), ingress_class=kong.ingress_class, database=database
    )
    values = merged(values, ownership.release_owner_values(identity.owner))
    return ManagedKong(
        release=HelmRelease(
            key="kong",
            namespace=kong.namespace,
            name=kong.release,
            chart=chart,
            chart_digest=chart.digest(chart_files.get(chart.path or "", "")),
            values=values,
            values_digest=keyed_digest(values, identity.digest_key),
            secret_values=secret_leaves(kong.values),
            timeout_seconds=kong.timeout_seconds,
            operation_seconds=kong.timeout_seconds * (1 if database is None else HELM_STEPS_WITH_DATABASE),
            adopt=kong.adopt,
            protect=kong.protected,
        ),
        create_namespace=kong.create_namespace,
        deployment=KongDeployment(namespace=kong.namespace, name=fullname, container=KONG_CONTAINER),
        ingress_class=kong.ingress_class,
        database=database,
    )


def _database(kong: ManagedKongConfig) -> Postgres | None:
    """The database; None in DB-less mode."""
    if not isinstance(kong, ManagedPostgresKongConfig):
        return None
    postgres = kong.postgres
    if isinstance(postgres, ManagedPostgresConfig):
        return ManagedPostgres(namespace=kong.namespace, name=postgres_name(kong.release))
    return ExternalPostgres(
        host=postgres.host,
        port=postgres.port,
        database=postgres.database,
        user=postgres.user,
        password_secret=SecretKey(name=postgres.password_secret.name, key=postgres.password_secret.key),
        tls=postgres.tls,
    )


def _existing(
    kong: ExistingKongConfig, config_maps: Sequence[PluginConfigMap], pod_selector: Mapping[str, Any]
) -> ExistingKong:
    container = kong.container or KONG_CONTAINER
    patch = PatchSpec(
        container=container,
        files=mount_paths(config_maps),
        plugins=tuple(sorted({item.plugin for item in config_maps})),
    )
    return ExistingKong(
        deployment=KongDeployment(namespace=kong.namespace, name=kong.deployment, container=container),
        container_configured=kong.container is not None,
        ingress_class=kong.ingress_class,
        pod_selector=pod_selector,
        patch=patch if kong.files_mounted_by == "stack" else None,
        timeout_seconds=kong.timeout_seconds,
    )
