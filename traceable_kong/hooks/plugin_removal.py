"""The plugin goes before its files: a gateway that stays is freed of the plugin before its pods lose the files.

The engine deletes what a program no longer names at the end, after everything else was changed; pods without the
files would start while the plugin still stands, and Kong would refuse its whole configuration. So the plugin is
deleted ahead of that, and the engine finds it gone. Knows no Pulumi.
"""

import time

from traceable_kong.cluster.kubernetes_client import Document, KubernetesClient
from traceable_kong.hooks.injection_dry_run import HookFailed
from traceable_kong.kong_admin.admin_endpoint import NoGateway, client
from traceable_kong.kong_admin.admin_listen import AdminError
from traceable_kong.kong_admin.entity_changes import take_out
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.verification.desired_state import Database, DesiredState
from traceable_kong.verification.observation import CLUSTER_PLUGINS, look

TIMEOUT_SECONDS = 45.0
INTERVAL_SECONDS = 0.5


def remove_plugin(api: KubernetesClient, standing: DesiredState, *, owner_label: tuple[str, str]) -> None:
    """Deletes the KongClusterPlugin and returns when no serving Kong lists the plugin any more.

    All that carry `owner_label` go, under whatever name a killed run left them, unless they are of another class.
    Others are not ours and stay. Raises Refused.
    """
    found = [
        item["metadata"]
        for item in api.list(CLUSTER_PLUGINS, labelSelector="=".join(owner_label))
        if item["metadata"]["name"] == standing.plugin_object or _is_read(item, standing)
    ]
    if not found:
        return
    ours = [metadata["name"] for metadata in found]
    for metadata in found:
        # Only the object that carried the label: one that changed hands since is refused by the API server.
        same = {key: metadata[key] for key in ("uid", "resourceVersion")}
        api.request("DELETE", f"{CLUSTER_PLUGINS}/{metadata['name']}", body={"preconditions": same})
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while names := _still_listing(api, standing):
        if time.monotonic() > deadline:
            raise HookFailed(
                f"The plugin {', '.join(ours)} is deleted, and after {TIMEOUT_SECONDS:.0f} s Kong still lists "
                f"{standing.plugin}, or does not answer, in {', '.join(names)}; the files stay until it does not. Run "
                "pulumi up again."
            )
        time.sleep(INTERVAL_SECONDS)


def remove_plugin_entity(api: KubernetesClient, database: Database) -> None:
    """Takes this stack's rows out of Kong's database, returns when every node has had time to forget them.

    All that carry its mark go, whatever they are bound to. Raises Refused.
    """
    try:
        with client(api, database.access) as asked:
            take_out(asked, database.place)
    except NoGateway:
        return  # No pod of it is there to lose its files.
    except AdminError as problem:
        raise HookFailed(
            f"The plugin's row could not be taken out of Kong's database: {str(problem).rstrip('.')}. The files "
            "stay until it is. Run pulumi up again."
        ) from None


def _is_read(item: Document, standing: DesiredState) -> bool:
    annotations = item["metadata"].get("annotations") or {}
    return bool(annotations.get(INGRESS_CLASS) == standing.ingress_class)


def _still_listing(api: KubernetesClient, standing: DesiredState) -> list[str]:
    return [
        pod.name
        for pod in look(api, standing).serving
        if isinstance(pod.kong, str) or any(item.get("name") == standing.plugin for item in pod.kong.plugins)
    ]
