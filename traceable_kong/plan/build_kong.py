"""Kong's part of the plan: one that this stack installs with its chart, or an existing one."""

from collections.abc import Mapping, Sequence
from typing import Any

from traceable_kong.cluster import ownership
from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.nested_data import merged
from traceable_kong.config.stack_config import StackConfig
from traceable_kong.deployment_patch.pod_template import PatchSpec
from traceable_kong.helm_values.chart import Chart
from traceable_kong.helm_values.kong_database import (
    ExternalPostgres,
    ManagedPostgres,
    Postgres,
    postgres_name,
    refuse_long_name,
)
from traceable_kong.helm_values.kong_values import kong_fullname, kong_values
from traceable_kong.plan.model import ExistingKong, HelmRelease, Kong, ManagedKong
from traceable_kong.plugin.config_maps import PluginConfigMap, chart_entries, mount_paths

KONG_CONTAINER = "proxy"
"""Kong's container in the chart's Deployment (kong chart 3.4.1)."""

EXISTING_DEPLOYMENT = "ingress-kong"
"""The Deployment's name in Kong's own manifests, where the stack names no other."""

HELM_STEPS_WITH_DATABASE = 3
"""With a database Helm runs Jobs before and after it waits for the pods, each as long as the wait."""


def existing_deployment(config: StackConfig) -> str | None:
    """The Deployment of an existing Kong; None where this stack installs Kong."""
    return None if config.kong.install else config.kong.deployment or EXISTING_DEPLOYMENT


def build_kong(
    config: StackConfig, owner: str, config_maps: Sequence[PluginConfigMap], pod_selector: Mapping[str, Any]
) -> Kong:
    """The gateway with these files. `pod_selector` is what an existing Kong's Deployment selects its pods by.

    Raises KongValuesError.
    """
    if config.kong.install:
        return _managed(config, owner, config_maps)
    return _existing(config, config_maps, pod_selector)


def _managed(config: StackConfig, owner: str, config_maps: Sequence[PluginConfigMap]) -> ManagedKong:
    kong = config.kong
    fullname = kong_fullname(kong.release, config.kong_values)
    database = _database(config)
    if database is not None:
        refuse_long_name(fullname)
    values = kong_values(
        config.kong_values,
        plugin_entries=chart_entries(config_maps),
        ingress_class=kong.ingress_class,
        database=database,
        admin_certificate=bool(database and kong.admin and kong.admin.client_certificate_secret),
    )
    return ManagedKong(
        release=HelmRelease(
            key="kong",
            namespace=kong.namespace,
            name=kong.release,
            chart=Chart(**kong.chart.model_dump()),
            values=merged(values, ownership.release_owner_values(owner)),
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


def _database(config: StackConfig) -> Postgres | None:
    """The database; the config's rules have made sure that there is one in DB mode."""
    kong, postgres = config.kong, config.kong.postgres
    if kong.database == "off" or postgres is None:
        return None
    if postgres.managed:
        return ManagedPostgres(namespace=kong.namespace, name=postgres_name(kong.release))
    if postgres.host is None or postgres.password_secret is None:
        return None
    return ExternalPostgres(
        host=postgres.host,
        port=postgres.port,
        database=postgres.database,
        user=postgres.user,
        password_secret=SecretKey(name=postgres.password_secret.name, key=postgres.password_secret.key),
        tls=postgres.tls,
    )


def _existing(
    config: StackConfig, config_maps: Sequence[PluginConfigMap], pod_selector: Mapping[str, Any]
) -> ExistingKong:
    kong = config.kong
    container = kong.container or KONG_CONTAINER
    patch = PatchSpec(
        container=container,
        files=mount_paths(config_maps),
        plugins=tuple(sorted({item.plugin for item in config_maps})),
    )
    return ExistingKong(
        deployment=KongDeployment(
            namespace=kong.namespace, name=kong.deployment or EXISTING_DEPLOYMENT, container=container
        ),
        container_configured=kong.container is not None,
        ingress_class=kong.ingress_class,
        pod_selector=pod_selector,
        patch=patch if kong.files_from == "ours" else None,
        timeout_seconds=kong.timeout_seconds,
    )
