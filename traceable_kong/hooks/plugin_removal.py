"""Deletes the plugin before Kong loses its files, when Traceable is uninstalled and Kong is kept.

The engine deletes resources that the program no longer registers at the end of an update. By then, pods without the
files would have started while the plugin still exists, and Kong would reject its whole configuration. So the plugin is
deleted earlier, and the engine finds it gone.
"""

import time

from traceable_kong.cluster.kubernetes_client import Document, KubernetesClient
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.kong_admin.admin_endpoint import client
from traceable_kong.kong_admin.admin_errors import AdminError, DeploymentMissing
from traceable_kong.kong_admin.entity_changes import delete_entities
from traceable_kong.plan.model import DesiredState, PluginEntity
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.verification.observation import CLUSTER_PLUGINS, observe

TIMEOUT_SECONDS = 45.0
INTERVAL_SECONDS = 0.5


def remove_plugin(api: KubernetesClient, desired: DesiredState, *, owner_label: tuple[str, str]) -> None:
    """Deletes this stack's KongClusterPlugins and waits until no serving Kong lists the plugin. Raises HookFailed.

    An interrupted update may have left one under another name: all that carry `owner_label` are deleted, unless they
    have another ingress class.
    """
    found = [
        item["metadata"]
        for item in api.list(CLUSTER_PLUGINS, labelSelector="=".join(owner_label))
        if _is_read(item, desired)
    ]
    if not found:
        return
    for metadata in found:
        # The API server refuses to delete an object that was changed or replaced since it was read.
        same = {key: metadata[key] for key in ("uid", "resourceVersion")}
        api.request("DELETE", f"{CLUSTER_PLUGINS}/{metadata['name']}", body={"preconditions": same})
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while names := _still_listing(api, desired):
        if time.monotonic() > deadline:
            raise HookFailed(
                f"Kong in {', '.join(names)} still lists the plugin {desired.plugin.name}, or does not answer, "
                f"{TIMEOUT_SECONDS:.0f} s after the KongClusterPlugin was deleted. Kong keeps the plugin's files until "
                "no pod lists it. Run `pulumi up` again."
            )
        time.sleep(INTERVAL_SECONDS)


def remove_plugin_entity(api: KubernetesClient, entity: PluginEntity) -> None:
    """Deletes this stack's plugin entities and waits until every Kong node has had time to notice.

    All that carry the stack's tag are deleted, for whatever routes they are. Raises HookFailed.
    """
    try:
        with client(api, entity.endpoint) as asked:
            delete_entities(asked, entity.target)
    except DeploymentMissing:
        return  # There is no pod that could lose its files.
    except AdminError as problem:
        raise HookFailed(
            f"The plugin entity could not be deleted from Kong's database: {str(problem).rstrip('.')}. Kong keeps the "
            "plugin's files until it is deleted. Run `pulumi up` again."
        ) from None


def _is_read(item: Document, desired: DesiredState) -> bool:
    resource, metadata = desired.plugin.custom_resource, item["metadata"]
    if resource is None:
        return False
    ingress_class = (metadata.get("annotations") or {}).get(INGRESS_CLASS)
    return bool(metadata["name"] == resource.name or ingress_class == resource.ingress_class)


def _still_listing(api: KubernetesClient, desired: DesiredState) -> list[str]:
    return [
        pod.name
        for pod in observe(api, desired).serving
        if isinstance(pod.kong, str) or any(item.get("name") == desired.plugin.name for item in pod.kong.plugins)
    ]
