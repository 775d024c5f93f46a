"""The gateway's part of the plan: a Kong of ours by its chart, or one that somebody else installed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from traceable_kong.cluster import ownership
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.nested_data import digest, merged
from traceable_kong.config.kong_config import (
    ExistingKongConfig,
    ManagedKongConfig,
    ManagedPostgresConfig,
    ManagedPostgresKongConfig,
)
from traceable_kong.config.stack_config import GatewayStack
from traceable_kong.deployment_patch.pod_template import PatchSpec
from traceable_kong.helm_values.chart import Chart
from traceable_kong.helm_values.ingress_controller import Controller, chart_controller
from traceable_kong.helm_values.kong_conflicts import kong_environment
from traceable_kong.helm_values.kong_database import (
    ExternalPostgres,
    ManagedPostgres,
    Postgres,
    postgres_name,
    refuse_long_name,
)
from traceable_kong.helm_values.kong_values import kong_fullname, kong_values
from traceable_kong.plan.component_args import ExistingKongArgs, KongGatewayArgs, ManagedPostgresArgs
from traceable_kong.plugin.config_maps import PluginConfigMap, chart_entries, mount_paths

KONG_CONTAINER = "proxy"
"""Kong's container in the chart's Deployment (kong chart 3.4.1)."""


@dataclass(frozen=True, kw_only=True)
class GatewayPlan:
    """`args` says whose it is. `pod_selector` is a LabelSelector of its pods, and of no others in `namespace`.

    `release` is "" where the Kong is not ours. `environment` is what chart values of ours set of Kong's variables.
    `controller` is the ingress controller that these values make.
    `postgres` is a database that is made here. `digests` go into the record, `outputs` are the stack's.
    """

    namespace: str
    release: str
    deployment: str
    container: str
    container_named: bool
    pod_selector: Mapping[str, Any]
    args: KongGatewayArgs | ExistingKongArgs
    postgres: ManagedPostgresArgs | None = None
    environment: Mapping[str, str] = field(repr=False)
    controller: Controller | None = field(default=None, repr=False)
    digests: Mapping[str, str]
    outputs: Mapping[str, Any]

    @property
    def part(self) -> PatchSpec | None:
        """What is added to the Deployment of a Kong that exists."""
        return self.args.part if isinstance(self.args, ExistingKongArgs) else None

    @property
    def owners_values(self) -> Mapping[str, Any] | None:
        """The chart values with which a Kong's owner mounts the files, None where that is not their part."""
        existing = isinstance(self.args, ExistingKongArgs)
        return self.outputs["ownersHelmValues"] if existing and self.part is None else None


def gateway_plan(
    settings: GatewayStack,
    owner: str,
    config_maps: Sequence[PluginConfigMap],
    selector: Mapping[str, Any] | None,
) -> GatewayPlan:
    """The gateway with these files. `selector` is what the Deployment of a Kong that exists selects its pods by.

    Raises KongValuesError.
    """
    if isinstance(settings.kong, ManagedKongConfig):
        return _managed(settings.kong, owner, config_maps)
    return _existing(settings.kong, owner, config_maps, selector or {})


def existing_deployment(settings: GatewayStack) -> str | None:
    """The Deployment of an existing Kong; None for a managed Kong."""
    return settings.kong.deployment if isinstance(settings.kong, ExistingKongConfig) else None


def _managed(kong: ManagedKongConfig, owner: str, config_maps: Sequence[PluginConfigMap]) -> GatewayPlan:
    fullname = kong_fullname(kong.release, kong.values)
    managed = _managed_postgres(kong, owner)
    database = _database(kong, managed)
    if database is not None:
        refuse_long_name(fullname)
    values = kong_values(
        kong.values,
        plugin_entries=chart_entries(config_maps),
        ingress_class=kong.ingress_class,
        database=database,
        admin_certificate=isinstance(kong, ManagedPostgresKongConfig) and bool(kong.admin.client_certificate_secret),
    )
    gateway = KongGatewayArgs(
        namespace=kong.namespace,
        release=kong.release,
        fullname=fullname,
        chart=Chart(**kong.chart.model_dump()),
        values=merged(values, ownership.release_owner_values(owner)),
        timeout_seconds=kong.timeout_seconds,
        protect=kong.protected,
    )
    return GatewayPlan(
        namespace=kong.namespace,
        release=kong.release,
        deployment=gateway.fullname,
        container=KONG_CONTAINER,
        container_named=True,
        pod_selector={
            "matchLabels": {"app.kubernetes.io/instance": kong.release, "app.kubernetes.io/component": "app"}
        },
        args=gateway,
        postgres=managed,
        environment=kong_environment(gateway.values),
        controller=chart_controller(gateway.values, fullname),
        digests={"kongValuesDigest": digest(gateway.values)},
        outputs={"release": kong.release, "proxyService": f"{gateway.fullname}-proxy"},
    )


def _managed_postgres(kong: ManagedKongConfig, owner: str) -> ManagedPostgresArgs | None:
    if not isinstance(kong, ManagedPostgresKongConfig) or not isinstance(kong.postgres, ManagedPostgresConfig):
        return None
    return ManagedPostgresArgs(
        postgres=ManagedPostgres(namespace=kong.namespace, name=postgres_name(kong.release)),
        labels=ownership.labels(owner),
        timeout_seconds=kong.timeout_seconds,
        protect=kong.protected,
    )


def _database(kong: ManagedKongConfig, managed: ManagedPostgresArgs | None) -> Postgres | None:
    """The database in the values of Kong's chart."""
    if managed is not None:
        return managed.postgres
    if not isinstance(kong, ManagedPostgresKongConfig) or isinstance(kong.postgres, ManagedPostgresConfig):
        return None
    postgres = kong.postgres
    return ExternalPostgres(
        host=postgres.host,
        port=postgres.port,
        database=postgres.database,
        user=postgres.user,
        password_secret=SecretKey(name=postgres.password_secret.name, key=postgres.password_secret.key),
        tls=postgres.tls,
    )


def _existing(
    kong: ExistingKongConfig, owner: str, config_maps: Sequence[PluginConfigMap], selector: Mapping[str, Any]
) -> GatewayPlan:
    container = kong.container or KONG_CONTAINER
    files = mount_paths(config_maps)
    part = PatchSpec(container=container, files=files, plugins=tuple(sorted({item.plugin for item in config_maps})))
    args = ExistingKongArgs(
        namespace=kong.namespace,
        deployment=kong.deployment,
        container=container,
        files=files,
        part=part if kong.files_mounted_by == "stack" else None,
        owner=owner,
        timeout_seconds=kong.timeout_seconds,
    )
    return GatewayPlan(
        namespace=kong.namespace,
        release="",
        deployment=args.deployment,
        container=container,
        container_named=kong.container is not None,
        pod_selector=selector,
        args=args,
        environment={},
        digests={"filesMountedBy": kong.files_mounted_by},
        outputs={
            "filesMountedBy": kong.files_mounted_by,
            "ownersHelmValues": {"plugins": {"configMaps": chart_entries(config_maps)}},
        },
    )
