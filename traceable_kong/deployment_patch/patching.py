"""Puts our part into a live Deployment, takes it out again, and awaits the rollout. Knows no Pulumi.

Each is one request that changes the template and our note together, and only the version that was read
(https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions). The note is an annotation of the
Deployment itself: it rolls nothing, Helm leaves it alone, and a run that was killed is known by it.
"""

import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.kubernetes_client import ApiError, Document, KubernetesClient, Unreachable
from traceable_kong.common.safe_text import PlainError
from traceable_kong.deployment_patch.pod_template import (
    AppliedPatch,
    Conflict,
    PatchSpec,
    Template,
    note_of,
    removed,
    replaced,
)

NOTE_ANNOTATION = "traceable-kong/added"
MANAGER = "traceable-kong"
"""Who changed these fields, in the Deployment's managedFields."""

ATTEMPTS = 10
INTERVAL_SECONDS = 0.5


class EditFailed(PlainError):
    """The Deployment is not as it should be; the text says why, for the person at the terminal."""


@dataclass(frozen=True, kw_only=True)
class PatchTarget:
    """The Deployment that the stack `owner` patches; a rollout may take `timeout_seconds`."""

    deployment: KongDeployment
    owner: str
    timeout_seconds: float

    @property
    def path(self) -> str:
        return self.deployment.path

    def __str__(self) -> str:
        return f"Deployment {self.deployment}"


def note_in(live: Document) -> tuple[str, AppliedPatch] | None:
    """Whose part is in a Deployment, and what of it was added. Raises EditFailed where the note cannot be read."""
    text = (live["metadata"].get("annotations") or {}).get(NOTE_ANNOTATION)
    if text is None:
        return None
    try:
        document = json.loads(text)
        return str(document["stack"]), note_of(document["added"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise EditFailed(
            f"The annotation {NOTE_ANNOTATION} of {live['metadata'].get('name')} was changed by hand and cannot be "
            "read any more. Put it back (the Deployment's older ReplicaSets have it: kubectl get replicasets "
            f"--namespace {live['metadata'].get('namespace')} --output yaml), or take the plugin's volumes, mounts and "
            "variables out by hand, and the annotation with them."
        ) from None


def put(api: KubernetesClient, target: PatchTarget, part: PatchSpec) -> int:
    """Puts `part` in place of what is there of ours, awaits the rollout, and returns the generation that did it.

    Where the rollout does not end, what stood before is put back, as Helm does it. Raises EditFailed, kube.ApiError or
    kube.Unreachable.
    """
    before = api.get(target.path)
    if before is None:
        raise EditFailed(f"{target} is not there: there is no Kong to put the plugin into.")

    def edit(template: Template, note: AppliedPatch | None) -> tuple[Template, AppliedPatch | None]:
        return replaced(template, note, part)

    generation = _change(api, target, edit)
    try:
        _await_rollout(api, target)
    except EditFailed as problem:
        said = _undo(api, target, before)
        raise EditFailed(f"{problem} {said}") from None
    return generation


def take_out(api: KubernetesClient, target: PatchTarget, held: Collection[str] = ()) -> None:
    """Takes out what is there of ours and awaits the rollout. A Deployment that is gone has nothing of ours.

    `held` are our ConfigMaps, which go afterwards. The rollout is awaited also where nothing of ours is found: a run
    that was killed may have taken it out, and the last pods with the files still be there. Raises EditFailed,
    kube.ApiError or kube.Unreachable.
    """
    live = api.get(target.path)
    if live is None:
        return
    noted = note_in(live)
    if noted is not None and noted[0] != target.owner:
        return
    if noted is None:
        volumes = live["spec"]["template"]["spec"].get("volumes") or []
        left = sorted({*held} & {(item.get("configMap") or {}).get("name") for item in volumes})
        if left:
            raise EditFailed(
                f"{target} still mounts {', '.join(left)}, and no annotation {NOTE_ANNOTATION} says that this stack "
                "did it. Take the plugin's entries out of the values of its owner's release (plugins.configMaps), or, "
                "where they came by hand, its volumes, mounts and variables out of the Deployment; then again."
            )
    else:
        _change(api, target, lambda template, note: (removed(template, note) if note else template, None))
    _await_rollout(api, target)


Edit = Callable[[Template, AppliedPatch | None], tuple[Template, AppliedPatch | None]]


def _change(api: KubernetesClient, target: PatchTarget, edit: Edit) -> int:
    """The Deployment's generation with the edit."""
    for attempt in range(ATTEMPTS):
        live = api.get(target.path)
        if live is None:
            raise EditFailed(f"{target} is not there any more.")
        noted = note_in(live)
        if noted is not None and noted[0] != target.owner:
            raise EditFailed(f"{target} has the part of the stack {noted[0]} already: destroy that stack first.")
        try:
            template, note = edit(live["spec"]["template"], noted[1] if noted else None)
        except Conflict as problem:
            raise EditFailed(f"{target} {problem}") from None
        patch = _patch(live, template, note, target.owner)
        if not patch:
            return int(live["metadata"]["generation"])
        try:
            changed = api.request(
                "PATCH",
                target.path,
                query={"fieldManager": MANAGER},
                body=[
                    {
                        "op": "replace",
                        "path": "/metadata/resourceVersion",
                        "value": live["metadata"]["resourceVersion"],
                    },
                    *patch,
                ],
                content_type="application/json-patch+json",
            )
        except ApiError as problem:
            if problem.status != 409:
                raise
            time.sleep(0.1 * attempt)
            continue
        return int(changed["metadata"]["generation"])
    raise EditFailed(f"Somebody else changes {target} all the time; it was tried {ATTEMPTS} times.")


def _patch(live: Document, template: Template, note: AppliedPatch | None, owner: str) -> list[dict[str, Any]]:
    """JSON patch operations that make the Deployment so; none where it is."""
    operations: list[dict[str, Any]] = []
    if template != live["spec"]["template"]:
        operations.append({"op": "replace", "path": "/spec/template", "value": template})
    annotations = live["metadata"].get("annotations") or {}
    wanted = dict(annotations)
    if note is None:
        wanted.pop(NOTE_ANNOTATION, None)
    else:
        wanted[NOTE_ANNOTATION] = json.dumps({"stack": owner, "added": note.document()}, sort_keys=True)
    if wanted != annotations:
        operations.append({"op": "add", "path": "/metadata/annotations", "value": wanted})
    return operations


def _undo(api: KubernetesClient, target: PatchTarget, before: Document) -> str:
    """Puts back what stood before a rollout that does not end; says what was done."""
    noted = note_in(before)

    def edit(template: Template, note: AppliedPatch | None) -> tuple[Template, AppliedPatch | None]:
        if noted is None:
            return (removed(template, note) if note else template), None
        return replaced(template, note, noted[1].part)

    try:
        _change(api, target, edit)
    except (EditFailed, ApiError, Unreachable) as problem:
        return f"What stood before could not be put back either: {problem}"
    return "What stood before was put back."


def _await_rollout(api: KubernetesClient, target: PatchTarget) -> None:
    """Returns when the Deployment consists of available pods of its newest template only. Raises EditFailed."""
    deadline = time.monotonic() + target.timeout_seconds
    while True:
        live = api.get(target.path)
        if live is None:
            raise EditFailed(f"{target} was deleted while it rolled.")
        status, wanted = live.get("status") or {}, int(live["spec"].get("replicas", 1))
        counts = [int(status.get(key) or 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        observed = int(status.get("observedGeneration") or 0) >= int(live["metadata"]["generation"])
        if observed and counts == [wanted] * 3:
            return
        if time.monotonic() > deadline:
            raise EditFailed(
                f"{target} did not finish its rollout in {target.timeout_seconds:.0f} s: of {wanted} pods {counts[1]} "
                f"are new and {counts[2]} available, {counts[0]} are there in all{_reasons(status)}. kubectl rollout "
                "status shows what holds it up."
            )
        time.sleep(INTERVAL_SECONDS)


def _reasons(status: Document) -> str:
    found = [
        str(item.get("message"))
        for item in status.get("conditions") or []
        if item["type"] == "ReplicaFailure" or item["status"] == "False"
    ]
    return f" ({'; '.join(found)})" if found else ""
