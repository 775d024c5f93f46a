"""Checks that a name is still free just before an object is created.

The provider overwrites an object of that name: with `upsert_existing_objects` it completes interrupted updates.
Preflight has checked the names, but another client may have created an object since then.
"""

from collections.abc import Mapping
from typing import Any

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.ownership import STACK_LABEL, handover_label, is_owned
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.plan.model import Plan
from traceable_kong.preflight.other_owners import creator, ways_out

PLURALS = {
    "ConfigMap": "configmaps",
    "KongClusterPlugin": "kongclusterplugins",
    "Namespace": "namespaces",
    "Secret": "secrets",
    "Service": "services",
    "StatefulSet": "statefulsets",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
"""The kinds that components create, other than through Helm."""


def require_free_name(api: KubernetesClient, type_: str, inputs: Mapping[str, Any], plan: Plan) -> None:
    """Raises HookFailed if an object exists that the stack of `plan` does not own.

    `type_` is Pulumi's type, such as `kubernetes:core/v1:ConfigMap`; `inputs` are the resource's inputs.
    """
    group_version, kind = type_.split(":")[1:]
    group, version = group_version.split("/")
    metadata = inputs["metadata"]
    name, namespace = str(metadata["name"]), metadata.get("namespace")
    prefix = f"/api/{version}" if group == "core" else f"/apis/{group}/{version}"
    where = f"/namespaces/{namespace}" if namespace else ""
    found = api.get(f"{prefix}{where}/{PLURALS[kind]}/{name}")
    if found is None or is_owned(found["metadata"].get("labels") or {}, plan.owner):
        return
    said = f"{kind.lower()} {name}" + (f" --namespace {namespace}" if namespace else "")
    other = (found["metadata"].get("labels") or {}).get(STACK_LABEL)
    who = creator(plan, other) if other else "another client"
    fix = (
        ways_out(plan, other, instead="Use another name in one of the two")
        if other
        else f"Delete it (`kubectl delete {said}`) or let this stack manage it (`kubectl label {said} "
        f"{STACK_LABEL}={handover_label(plan.owner)}`)"
    )
    raise HookFailed(
        f"{kind} {f'{namespace}/' if namespace else ''}{name} was created by {who} after preflight. "
        "Continuing would overwrite it, and delete it with this stack. It was not changed. "
        f"{fix}, then run `pulumi up`."
    )
