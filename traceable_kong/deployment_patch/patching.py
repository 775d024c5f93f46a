"""Applies and reverts a patch in a live Deployment, and waits for the rollout.

One request changes the template and the annotation that records the patch, and only in the version that was read
(https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions). The annotation is on the Deployment
itself: it causes no rollout, Helm keeps it, and after an interrupted update it says what was applied.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.kubernetes_client import ApiError, Document, KubernetesClient, Unreachable
from traceable_kong.common.foreign_documents import json_document
from traceable_kong.common.safe_text import PlainError
from traceable_kong.common.waiting import NotYet, wait_until
from traceable_kong.deployment_patch.pod_template import (
    AppliedPatch,
    Conflict,
    PatchSpec,
    Template,
    applied_patch_of,
    repatched,
    unpatched,
)

PATCH_ANNOTATION = "traceable-kong/patch"
FIELD_MANAGER = "traceable-kong"
"""Who changed these fields, in the Deployment's managedFields."""

CONFLICT_SECONDS = 5.0
"""How long a change is repeated while others change the Deployment."""


class PatchFailed(PlainError):
    """The Deployment could not be patched; the text is for the person at the terminal."""


@dataclass(frozen=True, kw_only=True)
class PatchTarget:
    """The Deployment that the stack `owner` patches; a rollout may take `timeout_seconds`."""

    deployment: KongDeployment
    owner: str
    timeout_seconds: float

    @property
    def path(self) -> str:
        return self.deployment.path

    @property
    def arguments(self) -> str:
        """The Deployment as kubectl takes it."""
        return f"deployment {self.deployment.name} --namespace {self.deployment.namespace}"

    def __str__(self) -> str:
        return f"Deployment {self.deployment}"


def recorded_patch(live: Document) -> tuple[str, AppliedPatch] | None:
    """Which stack patched a Deployment, and what it added. Raises PatchFailed where the annotation cannot be read."""
    text = (live["metadata"].get("annotations") or {}).get(PATCH_ANNOTATION)
    if text is None:
        return None
    try:
        document = json_document(text)
        return str(document["stack"]), applied_patch_of(document["patch"])
    except (ValueError, KeyError, TypeError, AttributeError):
        name, namespace = live["metadata"].get("name"), live["metadata"].get("namespace")
        raise PatchFailed(
            f"Annotation {PATCH_ANNOTATION} of deployment {namespace}/{name} was changed by another client and cannot "
            "be read, so the entries of this stack cannot be determined. Nothing was changed. Restore the annotation "
            f"from an older ReplicaSet (`kubectl get replicasets --namespace {namespace} --output yaml`); or remove "
            f"the plugin's volumes, mounts and variables by hand, then `kubectl annotate deployment {name} --namespace "
            f"{namespace} {PATCH_ANNOTATION}-`."
        ) from None


def apply(api: KubernetesClient, target: PatchTarget, spec: PatchSpec) -> int:
    """Replaces what the stack added before with `spec`, waits for the rollout and returns the new generation.

    Where the rollout does not finish, the earlier template is restored, as Helm does. Raises PatchFailed, ApiError or
    Unreachable.
    """
    before = api.get(target.path)
    if before is None:
        raise PatchFailed(
            f"{target} does not exist, so there is no Kong to add the plugin to. Nothing was changed. `kubectl get "
            "deployments --all-namespaces` lists the Deployments; set kong.namespace and kong.deployment."
        )

    def edit(template: Template, applied: AppliedPatch | None) -> tuple[Template, AppliedPatch | None]:
        return repatched(template, applied, spec)

    generation = _change(api, target, edit)
    try:
        _wait_for_rollout(api, target)
    except PatchFailed as problem:
        restored = _restore(api, target, before)
        raise PatchFailed(f"{problem} {restored} `kubectl describe {target.arguments}` shows the cause.") from None
    return generation


def revert(api: KubernetesClient, target: PatchTarget, config_maps: Collection[str]) -> None:
    """Removes what the stack added and waits for the rollout; a Deployment that does not exist needs neither.

    `config_maps` are those that the caller deletes afterwards. The rollout is awaited also where nothing is left to
    remove: an interrupted update may have removed it while old pods still use the files. Raises PatchFailed,
    ApiError or Unreachable.
    """
    live = api.get(target.path)
    if live is None:
        return
    recorded = recorded_patch(live)
    if recorded is not None and recorded[0] != target.owner:
        return
    if recorded is None:
        volumes = live["spec"]["template"]["spec"].get("volumes") or []
        mounted = sorted({*config_maps} & {(item.get("configMap") or {}).get("name") for item in volumes})
        if mounted:
            raise PatchFailed(
                f"{target} still mounts {', '.join(mounted)}, and has no annotation {PATCH_ANNOTATION} by which this "
                "stack could remove them. Without these ConfigMaps new pods would not start. Nothing was deleted. "
                "Remove the plugin's entries from plugins.configMaps in the values of the owner's Helm release; or, if "
                "they were added by hand, remove the volumes, mounts and variables from the Deployment. Then run the "
                "command again."
            )
    else:
        _change(api, target, lambda template, applied: (unpatched(template, applied) if applied else template, None))
    try:
        _wait_for_rollout(api, target)
    except PatchFailed as problem:
        raise PatchFailed(
            f"{problem} The plugin's files stay until no pod uses them. `kubectl describe {target.arguments}` shows "
            "the cause; then run the command again."
        ) from None


Edit = Callable[[Template, AppliedPatch | None], tuple[Template, AppliedPatch | None]]


def _change(api: KubernetesClient, target: PatchTarget, edit: Edit) -> int:
    """The generation of the Deployment with the edit."""

    def attempt(_: float) -> int | NotYet:
        live = api.get(target.path)
        if live is None:
            raise PatchFailed(f"{target} was deleted in the meantime.")
        recorded = recorded_patch(live)
        if recorded is not None and recorded[0] != target.owner:
            raise PatchFailed(
                f"{target} is already patched by the stack {recorded[0]}: two stacks would overwrite each other's "
                "entries. Nothing was changed. Destroy that stack first, or choose another Deployment: `pulumi config "
                "set --path traceable-kong:kong.deployment NAME`."
            )
        try:
            template, applied = edit(live["spec"]["template"], recorded[1] if recorded else None)
        except Conflict as problem:
            raise PatchFailed(f"{target} {problem}") from None
        operations = _operations(live, template, applied, target.owner)
        if not operations:
            return int(live["metadata"]["generation"])
        version = {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]}
        try:
            changed = api.request(
                "PATCH",
                target.path,
                query={"fieldManager": FIELD_MANAGER},
                body=[version, *operations],
                content_type="application/json-patch+json",
            )
        except ApiError as problem:
            if problem.status != 409:
                raise
            return NotYet(lambda: _changed_by_others(target))
        return int(changed["metadata"]["generation"])

    return wait_until(attempt, seconds=CONFLICT_SECONDS)


def _changed_by_others(target: PatchTarget) -> PatchFailed:
    return PatchFailed(
        f"{target} was changed by another client during every attempt to patch it, for {CONFLICT_SECONDS:.0f} s. "
        f"Nothing was changed by this stack. `kubectl get {target.arguments} --show-managed-fields --output yaml` "
        "shows which client changes it; then run `pulumi up` again."
    )


def _operations(live: Document, template: Template, applied: AppliedPatch | None, owner: str) -> list[dict[str, Any]]:
    """The JSON patch that changes the template and the annotation; empty where both are as they should be."""
    operations: list[dict[str, Any]] = []
    if template != live["spec"]["template"]:
        operations.append({"op": "replace", "path": "/spec/template", "value": template})
    annotations = live["metadata"].get("annotations") or {}
    wanted = dict(annotations)
    if applied is None:
        wanted.pop(PATCH_ANNOTATION, None)
    else:
        wanted[PATCH_ANNOTATION] = json.dumps({"stack": owner, "patch": applied.document()}, sort_keys=True)
    if wanted != annotations:
        operations.append({"op": "add", "path": "/metadata/annotations", "value": wanted})
    return operations


def _restore(api: KubernetesClient, target: PatchTarget, before: Document) -> str:
    """Restores the patch of `before`, after a rollout that did not finish; returns what happened."""
    recorded = recorded_patch(before)

    def edit(template: Template, applied: AppliedPatch | None) -> tuple[Template, AppliedPatch | None]:
        if recorded is None:
            return (unpatched(template, applied) if applied else template), None
        return repatched(template, applied, recorded[1].spec)

    try:
        _change(api, target, edit)
    except (PatchFailed, ApiError, Unreachable) as problem:
        return f"The earlier pod template could not be restored either: {problem}"
    return "The earlier pod template was restored."


def _wait_for_rollout(api: KubernetesClient, target: PatchTarget) -> None:
    """Returns when all pods of the Deployment are available and of its newest template. Raises PatchFailed."""

    def attempt(_: float) -> NotYet | None:
        live = api.get(target.path)
        if live is None:
            raise PatchFailed(f"{target} was deleted during its rollout.")
        status, wanted = live.get("status") or {}, int(live["spec"].get("replicas", 1))
        counts = [int(status.get(key) or 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        observed = int(status.get("observedGeneration") or 0) >= int(live["metadata"]["generation"])
        if observed and counts == [wanted] * 3:
            return None
        total, updated, available = counts
        return NotYet(
            lambda: PatchFailed(
                f"{target} did not finish its rollout in {target.timeout_seconds:.0f} s: it wants {wanted} pods and "
                f"has {total}, of which {updated} are updated and {available} available{_reasons(status)}."
            )
        )

    wait_until(attempt, seconds=target.timeout_seconds)


def _reasons(status: Document) -> str:
    found = [
        str(item.get("message"))
        for item in status.get("conditions") or []
        if item["type"] == "ReplicaFailure" or item["status"] == "False"
    ]
    return f" ({'; '.join(found)})" if found else ""
