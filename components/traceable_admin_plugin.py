"""The plugin on a gateway with a database: a plugin entity, written through Kong's Admin API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.secret_outputs import with_secrets
from traceable_kong.common.nested_data import Values
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.providers.plugin_entity_provider import PluginEntity


@dataclass(frozen=True, kw_only=True)
class TraceableAdminPluginArgs:
    """What the row is.

    `place` is whose it is, in which workspace, and for which routes; `access` is where Kong is asked. `enabled` False
    leaves it standing, disabled. `config` is what `plugin_config()` gave. `adopt` takes over a row that is there
    already. `managed_database` is whether the database goes with the stack, and the row with it.
    """

    place: PluginTarget
    access: AdminEndpoint
    enabled: bool
    config: Values = field(repr=False)
    adopt: bool
    managed_database: bool


class TraceableAdminPlugin(pulumi.ComponentResource):
    """The plugin entity, in `resources`. Outputs: `tag` (str: the tag that marks it as this stack's).

    A new `kong_revision` writes the entity again. The entity is registered when the revision is known, so a failing
    revision keeps it unchanged. Its operations end when every Kong node has had time to load, or drop, the plugin.
    """

    def __init__(
        self,
        name: str,
        *,
        args: TraceableAdminPluginArgs,
        kong_revision: pulumi.Input[int] | pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:TraceableAdminPlugin", name, None, opts)
        place = args.place
        props: Mapping[str, Any] = {
            "workspace": place.workspace,
            "plugin": place.plugin,
            "route": place.route,
            "service": place.service,
            "owner": place.owner,
            "enabled": args.enabled,
            "config": with_secrets(args.config),
            "endpoint": args.access.document(),
            "adopt": args.adopt,
            "managedDatabase": args.managed_database,
            "gateway": pulumi.Output.from_input(kong_revision).apply(str),
        }
        row = PluginEntity(f"{name}-row", props=props, opts=pulumi.ResourceOptions(parent=self))
        self.resources: list[pulumi.CustomResource] = [row]
        self.register_outputs({"tag": place.tag})
