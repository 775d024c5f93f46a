"""The gateway's part of the plan: a Kong of ours by its chart, or one that somebody else installed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.existing_kong import ExistingKongArgs
from components.kong_gateway import KongGatewayArgs
from components.managed_postgres import ManagedPostgresArgs
from traceable_kong.cluster import ownership
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.nested_data import digest, merged
from traceable_kong.config.stack_config import StackConfig
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
from traceable_kong.plugin.config_maps import PluginConfigMap, chart_entries, mount_paths

KONG_CONTAINER = "proxy"
"""Kong's container in the chart's Deployment (kong chart 3.4.1)."""

EXISTING_DEPLOYMENT = "ingress-kong"
"""The Deployment's name in Kong's own manifests, where the stack names no other."""


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
    settings: StackConfig,
    owner: str,
    config_maps: Sequence[PluginConfigMap],
    selector: Mapping[str, Any] | None,
) -> GatewayPlan:
    """The gateway with these files. `selector` is what the Deployment of a Kong that exists selects its pods by.

    Raises KongValuesError.
    """
    if settings.kong.install:
        return _ours(settings, owner, config_maps)
    return _existing(settings, owner, config_maps, selector or {})


def existing_deployment(settings: StackConfig) -> str | None:
    """The Deployment of a Kong that somebody else installed; None where Kong is ours."""
    return None if settings.kong.install else settings.kong.deployment or EXISTING_DEPLOYMENT


def _ours(settings: StackConfig, owner: str, config_maps: Sequence[PluginConfigMap]) -> GatewayPlan:
    kong = settings.kong
    fullname = kong_fullname(kong.release, settings.kong_values)
    managed = _managed_postgres(settings, owner)
    database = _database(settings, managed)
    if database is not None:
        refuse_long_name(fullname)
    values = kong_values(
        settings.kong_values,
        plugin_entries=chart_entries(config_maps),
        ingress_class=kong.ingress_class,
        database=database,
        admin_certificate=bool(database and kong.admin and kong.admin.client_certificate_secret),
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


def _managed_postgres(settings: StackConfig, owner: str) -> ManagedPostgresArgs | None:
    kong = settings.kong
    if kong.database == "off" or kong.postgres is None or not kong.postgres.managed:
        return None
    return ManagedPostgresArgs(
        postgres=ManagedPostgres(namespace=kong.namespace, name=postgres_name(kong.release)),
        labels=ownership.labels(owner),
        timeout_seconds=kong.timeout_seconds,
        protect=kong.protected,
    )


def _database(settings: StackConfig, managed: ManagedPostgresArgs | None) -> Postgres | None:
    """The database as Kong's chart is told of it; the settings' rules have seen to it that there is one."""
    theirs = settings.kong.postgres
    if managed is not None:
        return managed.postgres
    if settings.kong.database == "off" or theirs is None or theirs.host is None or theirs.password_secret is None:
        return None
    return ExternalPostgres(
        host=theirs.host,
        port=theirs.port,
        database=theirs.database,
        user=theirs.user,
        password_secret=SecretKey(name=theirs.password_secret.name, key=theirs.password_secret.key),
        tls=theirs.tls,
    )


def _existing(
    settings: StackConfig, owner: str, config_maps: Sequence[PluginConfigMap], selector: Mapping[str, Any]
) -> GatewayPlan:
    kong = settings.kong
    container = kong.container or KONG_CONTAINER
    files = mount_paths(config_maps)
    part = PatchSpec(container=container, files=files, plugins=tuple(sorted({item.plugin for item in config_maps})))
    args = ExistingKongArgs(
        namespace=kong.namespace,
        deployment=kong.deployment or EXISTING_DEPLOYMENT,
        files=files,
        part=part if kong.files_from == "ours" else None,
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
        digests={"filesFrom": kong.files_from},
        outputs={
            "filesFrom": kong.files_from,
            "ownersHelmValues": {"plugins": {"configMaps": chart_entries(config_maps)}},
        },
    )
