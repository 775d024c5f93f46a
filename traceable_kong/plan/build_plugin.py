"""The plugin's part of the plan: a KongClusterPlugin, or a plugin entity in Kong's database."""

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.cluster.tme import TME_ENDPOINT
from traceable_kong.config.config_types import SecretReference
from traceable_kong.config.kong_config import AdminApiConfig, PostgresKongConfig
from traceable_kong.config.stack_config import GatewayStack
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.plan.agent_model import Agent
from traceable_kong.plan.plugin_model import KongClusterPlugin, Plugin, PluginEntity
from traceable_kong.plugin.plugin_config import PLUGIN, plugin_config
from traceable_kong.plugin.plugin_options import plugin_version, text
from traceable_kong.plugin.rock import Rock


def build_plugin(config: GatewayStack, owner: str, deployment: KongDeployment, agent: Agent, rock: Rock) -> Plugin:
    """The plugin of this rock on this gateway: in sync it asks the TME of its own pod, in async the agent."""
    options = plugin_config(
        config.plugin_config,
        rock_version=rock.version,
        endpoint=TME_ENDPOINT if config.mode == "sync" else agent.endpoint,
        mode=config.mode,
        buffer_request_body=config.buffer_request_body,
        fail_open=config.fail_mode == "open",
        timeout_ms=config.timeout_ms,
        service_name=config.plugin.service_name,
    )
    backend: KongClusterPlugin | PluginEntity
    if isinstance(config.kong, PostgresKongConfig):
        backend = _entity(config.kong.admin, owner, deployment)
    else:
        backend = KongClusterPlugin(name=config.plugin.name, ingress_class=config.kong.ingress_class)
    return Plugin(
        name=PLUGIN,
        version=text(plugin_version(rock.version)),
        enabled=config.enabled,
        everywhere=config.scope == "global",
        config=options,
        backend=backend,
    )


def _entity(admin: AdminApiConfig, owner: str, deployment: KongDeployment) -> PluginEntity:
    return PluginEntity(
        target=PluginTarget(
            workspace=admin.workspace,
            plugin=PLUGIN,
            route=admin.route or "",
            service=admin.service or "",
            owner=owner,
        ),
        endpoint=AdminEndpoint(
            deployment=deployment,
            url=admin.url,
            workspace=admin.workspace,
            token_secret=_key(admin.token_secret),
            ca_secret=_key(admin.ca_secret),
            client_certificate_secret=admin.client_certificate_secret,
            insecure=admin.insecure,
        ),
        adopt=admin.adopt,
    )


def _key(reference: SecretReference | None) -> SecretKey | None:
    return SecretKey(name=reference.name, key=reference.key) if reference else None
