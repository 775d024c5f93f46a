"""Whether a name is still free directly before an object is created: the provider would write over what has it.

`upsert_existing_objects` lets a run adopt what an interrupted one left, and it adopts anything of that name. Preflight
looks at the beginning of a run; another client may have created one since then. Knows no Pulumi.
"""

from collections.abc import Mapping
from typing import Any

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.ownership import STACK_LABEL, handover_label, is_owned
from traceable_kong.hooks.injection_dry_run import HookFailed
from traceable_kong.preflight.helm_releases import another_stack

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
"""Every kind that a component creates by itself."""


def refuse_unless_owned(api: KubernetesClient, type_: str, inputs: Mapping[str, Any], *, owner: str) -> None:
    """Returns where nothing has the name of a new object, or it is the stack `owner`'s. Raises Refused.

    `type_` is Pulumi's, such as `kubernetes:core/v1:ConfigMap`, `inputs` are those of the resource.
    """
    group_version, kind = type_.split(":")[1:]
    group, version = group_version.split("/")
    metadata = inputs["metadata"]
    name, namespace = str(metadata["name"]), metadata.get("namespace")
    prefix = f"/api/{version}" if group == "core" else f"/apis/{group}/{version}"
    where = f"/namespaces/{namespace}" if namespace else ""
    found = api.get(f"{prefix}{where}/{PLURALS[kind]}/{name}")
    if found is None or is_owned(found["metadata"].get("labels") or {}, owner):
        return
    said = f"{kind.lower()} {name}" + (f" --namespace {namespace}" if namespace else "")
    theirs = (found["metadata"].get("labels") or {}).get(STACK_LABEL)
    by = f"the stack {theirs}" if theirs else "another client"
    fix = (
        another_stack(theirs, owner, instead="Another name in the config of one of the two")
        if theirs
        else f"Delete it (kubectl delete {said}) or give it to this stack (kubectl label {said} "
        f"{STACK_LABEL}={handover_label(owner)})"
    )
    raise HookFailed(
        f"{kind} {f'{namespace}/' if namespace else ''}{name} was created by {by} since the checks at the "
        "beginning of this run: it would be overwritten, and deleted with this stack. It was not touched. "
        f"{fix}, then run pulumi up again."
    )
