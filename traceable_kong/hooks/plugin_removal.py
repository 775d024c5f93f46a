"""Deletes the plugin before Kong loses its files, when Traceable is uninstalled and Kong is kept.

The engine deletes resources that the program no longer registers at the end of an update. By then, pods without the
files would have started while the plugin still exists, and Kong would reject its whole configuration. So the plugin is
deleted earlier, and the engine finds it gone.
"""

from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS
from traceable_kong.cluster.kubernetes_client import Document, KubernetesClient
from traceable_kong.cluster.ownership import STACK_LABEL
from traceable_kong.common.waiting import NotYet, wait_until
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.kong_admin import admin_endpoint
from traceable_kong.kong_admin.admin_errors import AdminError, DeploymentMissing
from traceable_kong.kong_admin.entity_changes import delete_entities
from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.plugin_model import KongClusterPlugin, PluginEntity
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.verification.observation import observe

TIMEOUT_SECONDS = 45.0


def remove_plugin(client: KubernetesClient, desired: DesiredState, owner: str) -> None:
    """Deletes the plugin of the stack `owner`, and returns when no gateway pod uses it. Raises HookFailed."""
    if desired.plugin.custom_resource:
        _remove_custom_resource(client, desired, desired.plugin.custom_resource, owner)
    if desired.plugin.entity:
        _remove_entity(client, desired.plugin.entity)


def _remove_custom_resource(
    client: KubernetesClient, desired: DesiredState, resource: KongClusterPlugin, owner: str
) -> None:
    # An interrupted update may have left one under another name. One of another class is not read by this gateway.
    found = [
        item["metadata"]
        for item in client.list(CLUSTER_PLUGINS, labelSelector=f"{STACK_LABEL}={owner}")
        if item["metadata"]["name"] == resource.name or _ingress_class(item) == resource.ingress_class
    ]
    if not found:
        return
    for metadata in found:
        # The API server refuses to delete an object that was changed or replaced since it was read.
        same = {key: metadata[key] for key in ("uid", "resourceVersion")}
        client.request("DELETE", f"{CLUSTER_PLUGINS}/{metadata['name']}", body={"preconditions": same})

    def attempt(_: float) -> NotYet | None:
        names = _pods_that_list(client, desired)
        return NotYet(lambda: _still_listed(desired, names)) if names else None

    wait_until(attempt, seconds=TIMEOUT_SECONDS)


def _ingress_class(item: Document) -> str | None:
    return (item["metadata"].get("annotations") or {}).get(INGRESS_CLASS)


def _pods_that_list(client: KubernetesClient, desired: DesiredState) -> list[str]:
    return [
        pod.name
        for pod in observe(client, desired).serving
        if isinstance(pod.kong, str) or any(item.get("name") == desired.plugin.name for item in pod.kong.plugins)
    ]


def _still_listed(desired: DesiredState, names: list[str]) -> HookFailed:
    return HookFailed(
        f"Kong in {', '.join(names)} still lists the plugin {desired.plugin.name}, or does not answer, "
        f"{TIMEOUT_SECONDS:.0f} s after the KongClusterPlugin was deleted. Kong keeps the plugin's files until no pod "
        "lists it. Run `pulumi up` again."
    )


def _remove_entity(client: KubernetesClient, entity: PluginEntity) -> None:
    """Deletes the entities with this stack's tag, for whatever routes they are."""
    try:
        with admin_endpoint.client(client, entity.endpoint) as admin:
            delete_entities(admin, entity.target)
    except DeploymentMissing:
        return  # There is no pod that could lose its files.
    except AdminError as problem:
        raise HookFailed(
            f"The plugin entity could not be deleted from Kong's database: {str(problem).rstrip('.')}. Kong keeps the "
            "plugin's files until it is deleted. Run `pulumi up` again."
        ) from None
