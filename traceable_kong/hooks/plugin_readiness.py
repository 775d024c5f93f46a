"""Checks that the gateway is ready for the plugin, just before the plugin is registered.

The update has awaited every earlier step. But another client that writes the Deployment (an operator, Argo CD, a
script) may have reverted one since, and an old pod may be left.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiError, Document, KubernetesClient
from traceable_kong.cluster.ownership import is_owned
from traceable_kong.cluster.pods import is_ready, is_terminating, selector_text
from traceable_kong.cluster.tme import INJECT_ANNOTATION, tme_containers
from traceable_kong.deployment_patch.patching import FIELD_MANAGER
from traceable_kong.hooks import old_pods
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.hooks.mounted_files import not_listed, not_mounted, require_mounted
from traceable_kong.kong_admin import entity_changes
from traceable_kong.kong_admin.admin_endpoint import client
from traceable_kong.kong_admin.admin_errors import AdminError
from traceable_kong.plan.model import DesiredState, KongClusterPlugin, PluginEntity
from traceable_kong.plugin.kong_cluster_plugin import revealed
from traceable_kong.verification.fix_commands import REPAIR, restore_gateway
from traceable_kong.verification.observation import CLUSTER_PLUGINS

ENTITY_SECONDS = 5.0
"""How long Kong's database may take to show the plugin entity."""


@dataclass(frozen=True, kw_only=True)
class PluginStep:
    """What is about to be written, and for which gateway.

    `owner` is this stack's id; old pods may take `timeout_seconds` to go. `owners_values` are the chart values with
    which the owner of an existing Kong mounts the files, None where the stack does. `document` is the
    KongClusterPlugin, None with a database.
    """

    expectation: DesiredState
    owner: str
    timeout_seconds: float
    owners_values: Mapping[str, Any] | None = None
    document: Mapping[str, Any] | None = field(default=None, repr=False)


def require_ready_for_plugin(api: KubernetesClient, step: PluginStep) -> None:
    """Returns when the plugin may change. Raises HookFailed, ApiError or Unreachable."""
    expected = step.expectation
    if _is_only_disabled(api, expected):
        return
    found = api.get(expected.deployment.path)
    if found is not None:
        # Before the wait, because waiting does not restore what another client removed from the template.
        _require(step, found, [])
    # A rollout that does not finish must not keep the plugin in sync mode: without the TME it only needs the files.
    if found is None or expected.injection or not _every_pod_has_the_files(api, step, found):
        settled = old_pods.wait_until_gone(
            api,
            namespace=expected.deployment.namespace,
            deployment=expected.deployment.name,
            timeout_seconds=step.timeout_seconds,
        )
        _require(step, settled.deployment, settled.serving)
    if step.document is not None:
        _try_new_name(api, step, step.document)


def _require(step: PluginStep, deployment: Document, serving: list[Document]) -> None:
    expected = step.expectation
    if step.owners_values is not None:
        require_mounted(deployment, expected, step.owners_values)
    template = deployment["spec"]["template"]
    files = list(_problems(step, template))
    reverted = [f"its pod template: {text}" for text in files]
    if expected.injection and (template["metadata"].get("annotations") or {}).get(INJECT_ANNOTATION) != "true":
        reverted.append(f'its pod template: the annotation {INJECT_ANNOTATION} is not "true"')
    lacking = [f"pod {pod['metadata']['name']}: {text}" for pod in serving for text in _problems(step, pod)]
    if expected.injection:
        image = expected.injection.image
        lacking += [
            f"pod {pod['metadata']['name']}: no TME runs in it ({image})"
            for pod in serving
            if not tme_containers(pod["spec"], image)
        ]
    if not reverted and not lacking:
        return
    name = expected.deployment.name
    fix = (
        f"Run `kubectl rollout restart deployment {name} --namespace {expected.deployment.namespace}`, then `pulumi up`"
    )
    writers = ""
    if reverted:
        writers = _named(other_writers(deployment))
        # A refresh only compares Helm's own records, so files in a release need a rollback first.
        fix = f"Stop the client that reverts this, then run {restore_gateway(expected) if files else REPAIR}"
        if not expected.release and step.owners_values is None:
            fix += (
                "; or let the values of the owner's Helm release mount the files: `pulumi config set --path "
                "traceable-kong:kong.filesMountedBy owner`"
            )
    raise HookFailed(
        f"Deployment {expected.deployment} is not ready for the plugin: {'; '.join([*reverted, *lacking])}."
        f"{writers} Nothing about the plugin was changed. {fix}."
    )


def _problems(step: PluginStep, holder: Mapping[str, Any]) -> Iterator[str]:
    """What a pod or a pod template lacks of the plugin's files."""
    if missing := not_mounted(holder, step.expectation):
        yield f"it does not mount {', '.join(missing)}"
    yield from not_listed(holder, step.expectation, may_be_elsewhere=step.owners_values is not None)


def _every_pod_has_the_files(api: KubernetesClient, step: PluginStep, deployment: Document) -> bool:
    """Whether the gateway serves, and every pod has the plugin's files, ready or not."""
    path = step.expectation.deployment.pods_path
    pods = [
        pod
        for pod in api.list(path, labelSelector=selector_text(deployment["spec"]["selector"]))
        if not is_terminating(pod)
    ]
    return any(map(is_ready, pods)) and not any(list(_problems(step, pod)) for pod in pods)


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


def _is_only_disabled(api: KubernetesClient, expected: DesiredState) -> bool:
    """Whether the plugin exists with every option of this config and is to be disabled.

    Disabling needs neither files nor a TME: a Kong that has loaded these options accepts other values for them.
    """
    if expected.plugin.enabled:
        return False
    match expected.plugin.backend:
        case PluginEntity() as entity:
            config = _entity_config(api, entity)
        case KongClusterPlugin() as resource:
            found = api.get(f"{CLUSTER_PLUGINS}/{resource.name}")
            config = found.get("config") if found else None
    return config is not None and expected.plugin.config.keys() <= config.keys()


def _entity_config(api: KubernetesClient, entity: PluginEntity) -> Mapping[str, Any] | None:
    try:
        with client(api, entity.endpoint, deadline_seconds=ENTITY_SECONDS) as asked:
            return (entity_changes.find_entity(asked, entity.target).entity or {}).get("config")
    except AdminError:
        return None  # The step that writes the entity reports it.


def _try_new_name(api: KubernetesClient, step: PluginStep, document: Mapping[str, Any]) -> None:
    """Dry-runs the plugin under a new name, because the object with the old name is deleted first."""
    name = document["metadata"]["name"]
    found = api.get(f"{CLUSTER_PLUGINS}/{name}")
    if found is not None:
        if not is_owned(found["metadata"].get("labels") or {}, step.owner):
            raise HookFailed(
                f"KongClusterPlugin {name} was created by another client after preflight. Continuing would delete this "
                "stack's plugin and then fail. Nothing about the plugin was changed. See `kubectl get "
                f"kongclusterplugin {name} --output yaml`; delete it, or set another plugin.name, then run `pulumi up`."
            )
        return
    existing = [
        item["metadata"]["name"]
        for item in api.list(CLUSTER_PLUGINS, metadata_only=True)
        if is_owned(item["metadata"].get("labels") or {}, step.owner)
    ]
    if not existing:
        return
    try:
        api.request("POST", CLUSTER_PLUGINS, query={"dryRun": "All"}, body=revealed(document))
    except ApiError as problem:
        raise HookFailed(
            f"The API server would refuse KongClusterPlugin {name}: {problem}. It would replace "
            f"{', '.join(existing)}, which was not deleted and stays in force. Fix the cause, or set plugin.name back; "
            "then run `pulumi up`."
        ) from None
