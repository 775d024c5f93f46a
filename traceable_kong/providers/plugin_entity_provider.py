"""What the engine does with the plugin's row: a dynamic provider's resource.

An instance is pickled into the state, by its class's name alone: it holds nothing, and what it needs is imported when
it is used, in the plugin's own process (https://www.pulumi.com/docs/iac/concepts/providers/dynamic-providers/). Which
cluster it is, `configure` reads from the stack's config; tokens and certificates are read from the Secrets that the
properties name, each time.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import dynamic

ANEW = ("workspace", "plugin", "owner")
"""Another of these is another row."""

CONTENT = ("route", "service", "enabled", "config", "access", "managedDatabase", "gateway", "changedByHand")


class RowProvider(dynamic.ResourceProvider):
    """The row; `kubeconfig` and `context` are known in the plugin's process only. The physical id is the row's."""

    kubeconfig: str | None = None
    context: str | None = None

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        import sys

        self.kubeconfig = req.config.get("kubernetes:kubeconfig")
        self.context = req.config.get("kubernetes:context")
        # The plugin hands the traceback of every error to the terminal; ours are for people, in one line.
        sys.tracebacklimit = 0

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        anew = [key for key in ANEW if _olds.get(key) != _news.get(key)]
        changed = any(_olds.get(key) != _news.get(key) for key in CONTENT)
        # The old one first: it may name a TME that goes in the same run.
        return dynamic.DiffResult(changes=changed or bool(anew), replaces=anew, delete_before_replace=True)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(self._put(props, None), dict(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        self._put(_news, _id)
        return dynamic.UpdateResult(dict(_news))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        from traceable_kong.kong_admin import entity_changes, plugin_schema, plugin_target
        from traceable_kong.kong_admin.admin_listen import AdminError

        place = _place(props)
        try:
            with self._client(props) as client:
                found = client.get(f"/plugins/{id_}")
                bound = entity_changes.bound_of(client, place) if found else None
                shown = plugin_schema.shown(client, place.plugin) if found else ""
        except AdminError:
            if self._gateway_stands(props):
                raise
            # Nobody to ask. A new gateway may come with a new database, so the row is written again whatever it had.
            left = {**props, "gateway": ""}
            return dynamic.ReadResult(id_, left, dict(left))
        if found is None:
            return dynamic.ReadResult("", {})
        schema = None if isinstance(shown, str) else shown
        config = found.get("config") or {}
        standing = plugin_target.standing(config, props["config"])
        changed = [plugin_target.elsewhere(place, bound, found), *plugin_schema.field_differences(schema, found)]
        # Options that were added by hand: writing the plugin entity again removes them.
        changed += plugin_schema.option_differences(schema, standing, config)
        stands = {
            **props,
            "enabled": bool(found.get("enabled", True)),
            "config": standing,
            "changedByHand": "; ".join(text for text in changed if text),
        }
        return dynamic.ReadResult(id_, stands, dict(stands))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
        from traceable_kong.kong_admin import entity_changes
        from traceable_kong.kong_admin.admin_listen import AdminError

        try:
            with self._client(_props) as client:
                entity_changes.take_out(client, _place(_props), _id)
        except (AdminError, ApiError, Unreachable) as problem:
            if _props.get("managedDatabase"):
                return  # It goes with its database, a few steps on.
            raise AdminError(
                f"The row {_id} could not be taken out of Kong's database: {str(problem).rstrip('.')}. A Kong that "
                "starts with it and without the plugin's files does not start, so nothing else is removed. Bring Kong "
                "back (or correct kong.admin and `pulumi up`), then again. Where that database is gone for good, "
                "`pulumi state delete` of this resource says so."
            ) from None

    def _put(self, props: dict[str, Any], id_: str | None) -> str:
        from traceable_kong.kong_admin import entity_changes

        with self._client(props) as client:
            return entity_changes.put(
                client,
                _place(props),
                enabled=bool(props["enabled"]),
                config=props["config"],
                adopt=bool(props["adopt"]),
                id_=id_,
            )

    def _client(self, props: Mapping[str, Any]) -> Any:
        from traceable_kong.kong_admin import admin_endpoint

        return admin_endpoint.client(self._api(), admin_endpoint.endpoint_of(props["access"]))

    def _gateway_stands(self, props: Mapping[str, Any]) -> bool:
        from traceable_kong.kong_admin import admin_endpoint

        return admin_endpoint.gateway_stands(self._api(), admin_endpoint.endpoint_of(props["access"]))

    def _api(self) -> Any:
        from traceable_kong.cluster.kubeconfig import connect

        return connect(kubeconfig=self.kubeconfig, context=self.context)


def _place(props: Mapping[str, Any]) -> Any:
    from traceable_kong.kong_admin.plugin_target import PluginTarget

    return PluginTarget(
        workspace=props["workspace"],
        plugin=props["plugin"],
        route=props["route"],
        service=props["service"],
        owner=props["owner"],
    )


class PluginEntity(dynamic.Resource, module="traceable", name="PluginRow"):
    """The plugin's row in Kong's database.

    Properties: `workspace`, `plugin`, `route`, `service`, `owner` (admin.row.Place); `enabled`, `config`; `access`
    (what `Access.document()` gave); `adopt`; `managedDatabase` (whether the database goes with the stack); `gateway`
    (what stands for the gateway with the plugin's files); `changedByHand` (always "", or what a refresh found).
    """

    def __init__(self, name: str, *, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(RowProvider(), name, {**props, "changedByHand": ""}, opts)
