"""The plugin, as a KongClusterPlugin or as a plugin entity in Kong's database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from traceable_kong.common.nested_data import Values
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.plugin.kong_cluster_plugin import plugin_object


@dataclass(frozen=True, kw_only=True)
class KongClusterPlugin:
    """The plugin as a custom resource that the ingress controller of `ingress_class` reads."""

    name: str
    ingress_class: str


@dataclass(frozen=True, kw_only=True)
class PluginEntity:
    """The plugin as an entity in Kong's database, written through the Admin API."""

    target: PluginTarget
    endpoint: AdminEndpoint
    adopt: bool = field(default=False, compare=False)  # not recorded


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """The plugin as every gateway pod must run it; `version` is what Kong reports, such as `2.1.2`.

    `everywhere` False is only the routes and services that select it, or those of the entity's target.
    """

    name: str
    version: str
    enabled: bool
    everywhere: bool
    config: Mapping[str, Any]
    backend: KongClusterPlugin | PluginEntity

    @property
    def mode(self) -> str:
        return str(self.config.get("mode", "sync"))

    @property
    def endpoint(self) -> str:
        return str(self.config.get("ext_cap_endpoint", ""))

    @property
    def fail_mode(self) -> str:
        return "open" if self.config.get("allow_on_failure") else "closed"

    @property
    def custom_resource(self) -> KongClusterPlugin | None:
        return self.backend if isinstance(self.backend, KongClusterPlugin) else None

    @property
    def entity(self) -> PluginEntity | None:
        return self.backend if isinstance(self.backend, PluginEntity) else None

    def document(
        self, resource: KongClusterPlugin, labels: Mapping[str, str], *, generate_name: bool = False
    ) -> Values:
        """The KongClusterPlugin object; `generate_name` True is one for a server-side dry run."""
        return plugin_object(
            naming={"generateName": f"{resource.name}-"} if generate_name else {"name": resource.name},
            plugin=self.name,
            ingress_class=resource.ingress_class,
            everywhere=self.everywhere,
            enabled=self.enabled,
            config=self.config,
            labels=labels,
        )
