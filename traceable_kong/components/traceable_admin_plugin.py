"""The plugin on a gateway with a database: a plugin entity, written through Kong's Admin API."""

from collections.abc import Mapping
from typing import Any

import pulumi

from traceable_kong.components.deployment_step import DeploymentStep
from traceable_kong.plan.kong_model import ExistingKong
from traceable_kong.plan.model import Gateway
from traceable_kong.providers.plugin_entity_provider import PluginEntity


class TraceableAdminPlugin(DeploymentStep):
    """The plugin entity. Outputs: `tag` (str: the tag that marks it as this stack's).

    With a new `kong_revision`, the entity is written again where it differs. It is registered when the revision is
    known, so a failing revision keeps it unchanged. Its operations end when every Kong node has had time to load, or
    drop, the plugin. On a managed Kong a deletion ends at once: a destroy deletes Kong next, with the plugin's files
    and the TME in its pods. An entity in a managed database is deleted with the database. `own_program` are the inputs
    of `own_program_inputs()`.
    """

    def __init__(
        self,
        name: str,
        *,
        gateway: Gateway,
        own_program: Mapping[str, Any],
        kong_revision: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:TraceableAdminPlugin", name, None, opts)
        plugin, entity = gateway.plugin, gateway.plugin.entity
        assert entity is not None, "without a database the plugin is a KongClusterPlugin"
        target = entity.target
        props: Mapping[str, Any] = {
            "workspace": target.workspace,
            "plugin": target.plugin,
            "route": target.route,
            "service": target.service,
            "owner": target.owner,
            "enabled": plugin.enabled,
            "config": dict(plugin.config),
            "endpoint": entity.endpoint.document(),
            "adopt": entity.adopt,
            "managedDatabase": gateway.kong.managed_postgres is not None,
            "existingKong": isinstance(gateway.kong, ExistingKong),
            "gateway": kong_revision,
            **own_program,
        }
        self.resources = [PluginEntity(f"{name}-entity", props=props, opts=pulumi.ResourceOptions(parent=self))]
        self.register_outputs({"tag": target.tag})
