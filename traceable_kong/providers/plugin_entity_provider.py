"""The dynamic provider for the plugin entity in Kong's database.

The cluster is read from the stack config (cluster_provider.py), tokens and certificates from the Secrets that the
properties name, for each use.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import dynamic

from traceable_kong.providers.cluster_provider import ClusterProvider, worded


class PluginEntityProvider(ClusterProvider):
    """The physical id is the entity's."""

    IDENTITY = ("workspace", "plugin", "owner")
    WRITTEN = ("route", "service", "enabled", "config", "changedByHand")
    """What is written to Kong, and what a refresh found there."""

    CONTENT = (*WRITTEN, "endpoint", "managedDatabase", "existingKong", "gateway")

    @worded
    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(self._write(props, None), dict(props))

    @worded
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        self._write(_news, _id, is_loaded=all(_olds.get(key) == _news.get(key) for key in self.WRITTEN))
        return dynamic.UpdateResult(dict(_news))

    @worded
    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        from traceable_kong.kong_admin import entity_changes, plugin_schema, plugin_target
        from traceable_kong.kong_admin.admin_errors import AdminError

        target = _target(props)
        try:
            with self._client(props) as client:
                found = client.get(f"/plugins/{id_}")
                scope = entity_changes.resolve_scope(client, target) if found else None
                schema = plugin_schema.read_schema(client, target.plugin) if found else ""
        except AdminError:
            if self._deployment_exists(props):
                raise
            # Without a gateway there is no Admin API. A new one may come with a new database, so that the next update
            # writes the entity whatever is in the state.
            unknown = {**props, "gateway": ""}
            return dynamic.ReadResult(id_, unknown, dict(unknown))
        if found is None:
            return dynamic.ReadResult("", {})
        known_schema = None if isinstance(schema, str) else schema
        config = found.get("config") or {}
        current = plugin_target.current(config, props["config"])
        changed = [
            *plugin_target.identity_differences(target, scope, found),
            *plugin_schema.field_differences(known_schema, found),
            # Options that were added by hand: writing the entity removes them.
            *plugin_schema.option_differences(known_schema, current, config),
        ]
        state = {
            **props,
            "enabled": bool(found.get("enabled", True)),
            "config": current,
            "changedByHand": "; ".join(changed),
        }
        return dynamic.ReadResult(id_, state, dict(state))

    @worded
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
        from traceable_kong.kong_admin import entity_changes
        from traceable_kong.kong_admin.admin_errors import AdminError

        try:
            with self._client(_props) as client:
                entity_changes.delete_entities(client, _target(_props), _id, wait=bool(_props["existingKong"]))
        except (AdminError, ApiError, Unreachable) as problem:
            if _props.get("managedDatabase"):
                return  # The database is deleted with it.
            raise AdminError(
                f"Plugin entity {_id} could not be deleted from Kong's database: {str(problem).rstrip('.')}. Kong does "
                "not start with this entity and without the plugin's files, so nothing else was deleted. Repair Kong "
                "(or correct kong.admin and run `pulumi up`), then run the command again. If the database no longer "
                "exists, remove this resource from the state with `pulumi state delete`."
            ) from None

    def _write(self, props: dict[str, Any], id_: str | None, *, is_loaded: bool = False) -> str:
        from traceable_kong.kong_admin import entity_changes

        with self._client(props) as client:
            return entity_changes.write_entity(
                client,
                _target(props),
                enabled=bool(props["enabled"]),
                config=props["config"],
                adopt=bool(props["adopt"]),
                id_=id_,
                is_loaded=is_loaded,
            )

    def _client(self, props: Mapping[str, Any]) -> Any:
        from traceable_kong.kong_admin import admin_endpoint

        return admin_endpoint.client(self._api(props), admin_endpoint.endpoint_of(props["endpoint"]))

    def _deployment_exists(self, props: Mapping[str, Any]) -> bool:
        from traceable_kong.kong_admin import admin_endpoint

        return admin_endpoint.deployment_exists(self._api(props), admin_endpoint.endpoint_of(props["endpoint"]))


def _target(props: Mapping[str, Any]) -> Any:
    from traceable_kong.kong_admin.plugin_target import PluginTarget

    return PluginTarget(
        workspace=props["workspace"],
        plugin=props["plugin"],
        route=props["route"],
        service=props["service"],
        owner=props["owner"],
    )


class PluginEntity(dynamic.Resource, module="traceable", name="PluginEntity"):
    """The plugin entity in Kong's database.

    Properties: `workspace`, `plugin`, `route`, `service`, `owner` of the PluginTarget; `enabled`, `config`; `endpoint`
    (`AdminEndpoint.document()`); `adopt`; `managedDatabase` (whether the database is deleted with the stack);
    `existingKong` (whether Kong is not); `gateway` (the revision of the Kong with the plugin's files); `changedByHand`
    ("", or what a refresh found).
    """

    def __init__(self, name: str, *, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(PluginEntityProvider(), name, {**props, "changedByHand": ""}, opts)
