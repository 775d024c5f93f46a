"""The plugin's part of the plan: a KongClusterPlugin, or a row of Kong's database. Pure."""

from typing import Any

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.nested_data import Values
from traceable_kong.config.config_types import SecretReference
from traceable_kong.config.kong_config import PostgresKongConfig
from traceable_kong.config.stack_config import GatewayStack
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.plan.component_args import TraceableAdminPluginArgs, TraceablePluginArgs
from traceable_kong.plan.gateway_plan import GatewayPlan
from traceable_kong.plugin.plugin_config import PLUGIN


def plugin_args(
    settings: GatewayStack, owner: str, gateway: GatewayPlan, *, config: Values, labels: dict[str, str]
) -> TraceablePluginArgs | TraceableAdminPluginArgs:
    """What the plugin is made of, and where."""
    if not isinstance(settings.kong, PostgresKongConfig):
        return TraceablePluginArgs(
            plugin_name=settings.plugin.name,
            ingress_class=settings.kong.ingress_class,
            everywhere=settings.scope == "global",
            enabled=settings.enabled,
            config=config,
            labels=labels,
        )
    admin = settings.kong.admin
    return TraceableAdminPluginArgs(
        place=PluginTarget(
            workspace=admin.workspace,
            plugin=PLUGIN,
            route=admin.route or "",
            service=admin.service or "",
            owner=owner,
        ),
        access=AdminEndpoint(
            deployment=KongDeployment(
                namespace=settings.kong.namespace, name=gateway.deployment, container=gateway.container
            ),
            url=admin.url,
            workspace=admin.workspace,
            token_secret=_secret(admin.token_secret),
            ca_secret=_secret(admin.ca_secret),
            client_certificate_secret=admin.client_certificate_secret,
            insecure=admin.insecure,
        ),
        enabled=settings.enabled,
        config=config,
        adopt=admin.adopt,
        managed_database=gateway.postgres is not None,
    )


def plugin_outputs(args: TraceablePluginArgs | TraceableAdminPluginArgs) -> dict[str, Any]:
    """How a person finds it: the KongClusterPlugin's name, or the workspace and the tag of the row."""
    if isinstance(args, TraceablePluginArgs):
        return {"plugin": args.plugin_name}
    return {"workspace": args.place.workspace, "pluginTag": args.place.tag}


def _secret(reference: SecretReference | None) -> SecretKey | None:
    return SecretKey(name=reference.name, key=reference.key) if reference else None
