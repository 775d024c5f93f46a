"""The ValidatingAdmissionPolicy for gateway pods that ask for the TME and do not have it. Pure.

The injector's webhook fails open, so a gateway pod starts without its sidecar while the injector is unavailable, and
the plugin would get no answer. The API server itself evaluates the policy, after all webhooks
(https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/, v1 since Kubernetes 1.30).
"""

from collections.abc import Mapping
from typing import Any

from traceable_kong.cluster.ownership import cluster_wide_name
from traceable_kong.cluster.tme import has_tme_cel, requests_tme_cel, selected_cel
from traceable_kong.common.image_references import ImageReference


def policy_name(owner: str) -> str:
    """The name of a stack's policy and its binding."""
    return cluster_wide_name("traceable-tme-guard", owner)


def policy_spec(
    *, namespace: str, pod_selector: Mapping[str, Any], tme_image: ImageReference, agent_namespace: str
) -> dict[str, Any]:
    """The ValidatingAdmissionPolicy's `spec`. `pod_selector` is a LabelSelector of the gateway's pods only.

    A new pod is judged as it is. An update is judged by what it does: one that makes a gateway pod ask for the TME
    without having it, or that removes the TME, is refused; any other change of a pod that is already wrong goes
    through, and so does every change of a pod that is being deleted. Subresources (status, binding, ephemeral
    containers) are not judged: none of them changes an image or the request.
    """

    def wrong(pod: str) -> str:
        return f"(variables.{pod}Selected && {requests_tme_cel(pod)} && !variables.{pod}HasTme)"

    lost = "(variables.oldObjectSelected && variables.oldObjectHasTme && variables.objectSelected && "
    lost += "!variables.objectHasTme)"
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "objectSelector": dict(pod_selector),
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["pods"]}
            ],
        },
        "matchConditions": [
            {"name": "is-not-being-deleted", "expression": "!has(object.metadata.deletionTimestamp)"},
        ],
        "variables": [
            {"name": f"{pod}{name}", "expression": expression}
            for pod in ("object", "oldObject")
            for name, expression in (
                ("Selected", selected_cel(pod, pod_selector)),
                ("HasTme", has_tme_cel(pod, tme_image)),
            )
        ],
        "validations": [
            {
                "expression": f"oldObject == null ? !{wrong('object')} : "
                f"!({wrong('object')} && !{wrong('oldObject')}) && !{lost}",
                "message": "this gateway pod asks for the Traceable TME and would be without it (no container with the "
                f"image {tme_image}), so its requests would not be protected. See whether the agent is ready: "
                f"kubectl --namespace {agent_namespace} get pods",
                "reason": "Forbidden",
            }
        ],
    }
