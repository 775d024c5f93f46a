"""The plugin's part of the plan: a KongClusterPlugin, or a row of Kong's database. Pure.

Leaves out its `config` (components/plugin.py) and the gateway (plan_gateway.py).
"""

from typing import Any

from admin.access import Access, SecretKey
from admin.row import Place
from components.admin_api import TraceableAdminPluginArgs
from components.plugin import PLUGIN, TraceablePluginArgs
from plan_gateway import GatewayPlan
from settings import Settings
from settings.model import AdminSettings, SecretReference
from values import Values


def plugin_args(
    settings: Settings, owner: str, gateway: GatewayPlan, *, config: Values, labels: dict[str, str]
) -> TraceablePluginArgs | TraceableAdminPluginArgs:
    """What the plugin is made of, and where."""
    if settings.kong.database == "off":
        return TraceablePluginArgs(
            plugin_name=settings.plugin.name,
            ingress_class=settings.kong.ingress_class,
            everywhere=settings.scope == "global",
            enabled=settings.enabled,
            config=config,
            labels=labels,
        )
    admin = settings.kong.admin or AdminSettings()
    return TraceableAdminPluginArgs(
        place=Place(
            workspace=admin.workspace,
            plugin=PLUGIN,
            route=admin.route or "",
            service=admin.service or "",
            owner=owner,
        ),
        access=Access(
            namespace=settings.kong.namespace,
            deployment=gateway.deployment,
            container=gateway.container,
            url=admin.url or "",
            workspace=admin.workspace,
            token_secret=_secret(admin.token_secret),
            ca_secret=_secret(admin.ca_secret),
            client_certificate_secret=admin.client_certificate_secret or "",
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
