"""Checks that the gateway is ready for the plugin, just before the plugin is registered.

The update has awaited every earlier step. But another client that writes the Deployment (an operator, Argo CD, a
script) may have reverted one since, and an old pod may be left.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS
from traceable_kong.cluster.kubernetes_client import ApiError, Document, KubernetesClient
from traceable_kong.cluster.ownership import is_owned
from traceable_kong.cluster.pods import is_ready, is_terminating, selector_text
from traceable_kong.cluster.tme import INJECT_ANNOTATION, tme_containers
from traceable_kong.deployment_patch.patching import FIELD_MANAGER
from traceable_kong.hooks import old_pods
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.mounted_files import not_listed, not_mounted, require_mounted_by_owner
from traceable_kong.kong_admin import admin_endpoint, entity_changes
from traceable_kong.kong_admin.admin_errors import AdminError
from traceable_kong.plan.kong_model import ExistingKong
from traceable_kong.plan.model import DesiredState, Gateway, Plan
from traceable_kong.plan.plugin_model import KongClusterPlugin, Plugin, PluginEntity
from traceable_kong.verification.fix_commands import REPAIR, restore_gateway

ENTITY_SECONDS = 5.0
"""How long Kong's database may take to show the plugin entity."""


def require_ready_for_plugin(client: KubernetesClient, plan: Plan, gateway: Gateway) -> None:
    """Returns when the plugin may change. Raises HookFailed, ApiError or Unreachable."""
    if not gateway.plugin.enabled and _only_disables(client, gateway.plugin):
        return
    found = client.get(gateway.kong.deployment.path)
    if found is not None:
        # Before the wait, because waiting does not restore what another client removed from the template.
        _require_files_and_tme(plan.desired, gateway, found, [])
    # A rollout that does not finish must not keep the plugin in sync mode: without the TME it only needs the files.
    if found is None or gateway.wants_tme or not _every_pod_has_the_files(client, gateway, found):
        rolled_out = old_pods.wait_until_gone(
            client, gateway.kong.deployment, timeout_seconds=gateway.kong.timeout_seconds, known=found
        )
        _require_files_and_tme(plan.desired, gateway, rolled_out.deployment, rolled_out.serving)
    if gateway.plugin.custom_resource:
        _try_new_name(client, plan, gateway.plugin, gateway.plugin.custom_resource)


def _require_files_and_tme(
    desired: DesiredState | None, gateway: Gateway, deployment: Document, serving: list[Document]
) -> None:
    if gateway.mounted_by_owner:
        require_mounted_by_owner(deployment, gateway)
    template = deployment["spec"]["template"]
    files = list(_missing_files(template, gateway))
    reverted = [f"its pod template: {text}" for text in files]
    lacking = [f"pod {pod['metadata']['name']}: {text}" for pod in serving for text in _missing_files(pod, gateway)]
    if gateway.wants_tme:
        image = gateway.injection.image
        if (template["metadata"].get("annotations") or {}).get(INJECT_ANNOTATION) != "true":
            reverted.append(f'its pod template: the annotation {INJECT_ANNOTATION} is not "true"')
        lacking += [
            f"pod {pod['metadata']['name']}: no TME runs in it ({image})"
            for pod in serving
            if not tme_containers(pod["spec"], image)
        ]
    if not reverted and not lacking:
        return
    name = gateway.kong.deployment
    fix = f"Run `kubectl rollout restart deployment {name.name} --namespace {name.namespace}`, then `pulumi up`"
    writers = ""
    if reverted:
        writers = _named(other_writers(deployment))
        # A refresh only compares Helm's own records, so files in a release need a rollback first.
        restore = restore_gateway(desired) if files and desired else REPAIR
        fix = f"Stop the client that reverts this, then run {restore}"
        if isinstance(gateway.kong, ExistingKong) and not gateway.mounted_by_owner:
            fix += (
                "; or let the values of the owner's Helm release mount the files: `pulumi config set --path "
                "traceable-kong:kong.filesMountedBy owner`"
            )
    raise HookFailed(
        f"Deployment {name} is not ready for the plugin: {'; '.join([*reverted, *lacking])}."
        f"{writers} Nothing about the plugin was changed. {fix}."
    )


def _missing_files(holder: Mapping[str, Any], gateway: Gateway) -> Iterator[str]:
    """What a pod or a pod template lacks of the plugin's files."""
    if missing := not_mounted(holder, gateway):
        yield f"it does not mount {', '.join(missing)}"
    yield from not_listed(holder, gateway)


def _every_pod_has_the_files(client: KubernetesClient, gateway: Gateway, deployment: Document) -> bool:
    """Whether the gateway serves, and every pod has the plugin's files, ready or not."""
    selector = selector_text(deployment["spec"]["selector"])
    pods = client.list(gateway.kong.deployment.pods_path, labelSelector=selector)
    pods = [pod for pod in pods if not is_terminating(pod)]
    return any(map(is_ready, pods)) and not any(list(_missing_files(pod, gateway)) for pod in pods)


def other_writers(deployment: Mapping[str, Any]) -> list[str]:
    """The other field managers of the pod template, newest first, as `NAME (OPERATION, TIME)`.

    A client that only removes fields owns none, and is not listed
    (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
    """
    others = [
        item
        for item in deployment["metadata"].get("managedFields") or []
        if "f:template" in ((item.get("fieldsV1") or {}).get("f:spec") or {})
        and not str(item.get("manager", "")).startswith((FIELD_MANAGER, "pulumi"))
    ]
    others.sort(key=lambda item: str(item.get("time", "")), reverse=True)
    return [f"{item.get('manager')!r} ({item.get('operation')}, {item.get('time')})" for item in others]


def _named(writers: list[str]) -> str:
    return f" Other field managers of its pod template, newest first: {', '.join(writers)}." if writers else ""


def _only_disables(client: KubernetesClient, plugin: Plugin) -> bool:
    """Whether the plugin exists with every option of this config.

    Then disabling it needs neither files nor a TME: a Kong that has loaded these options accepts other values for them.
    """
    if plugin.entity:
        config = _entity_config(client, plugin.entity)
    else:
        found = client.get(f"{CLUSTER_PLUGINS}/{plugin.custom_resource.name}") if plugin.custom_resource else None
        config = found.get("config") if found else None
    return config is not None and plugin.config.keys() <= config.keys()


def _entity_config(client: KubernetesClient, entity: PluginEntity) -> Mapping[str, Any] | None:
    try:
        with admin_endpoint.client(client, entity.endpoint, deadline_seconds=ENTITY_SECONDS) as admin:
            return (entity_changes.find_entity(admin, entity.target).entity or {}).get("config")
    except AdminError:
        return None  # The step that writes the entity reports it.


def _try_new_name(client: KubernetesClient, plan: Plan, plugin: Plugin, resource: KongClusterPlugin) -> None:
    """Dry-runs the plugin under a new name, because the object with the old name is deleted first."""
    name = resource.name
    found = client.get(f"{CLUSTER_PLUGINS}/{name}")
    if found is not None:
        if not is_owned(found["metadata"].get("labels") or {}, plan.owner):
            raise HookFailed(
                f"KongClusterPlugin {name} was created by another client after preflight. Continuing would delete this "
                "stack's plugin and then fail. Nothing about the plugin was changed. See `kubectl get "
                f"kongclusterplugin {name} --output yaml`; delete it, or set another plugin.name, then run `pulumi up`."
            )
        return
    existing = [
        item["metadata"]["name"]
        for item in client.list(CLUSTER_PLUGINS, metadata_only=True)
        if is_owned(item["metadata"].get("labels") or {}, plan.owner)
    ]
    if not existing:
        return
    document = plugin.document(resource, plan.labels)
    try:
        client.request("POST", CLUSTER_PLUGINS, query={"dryRun": "All"}, body=document)
    except ApiError as problem:
        raise HookFailed(
            f"The API server would refuse KongClusterPlugin {name}: {problem}. It would replace "
            f"{', '.join(existing)}, which was not deleted and stays in force. Fix the cause, or set plugin.name back; "
            "then run `pulumi up`."
        ) from None
