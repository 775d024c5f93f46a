"""The admission policy for gateway pods that request the TME and do not get it.

The injector's webhook fails open: while the injector is unavailable, a gateway pod would start without its sidecar, and
the plugin would have nothing to call. The API server evaluates the policy itself, after all webhooks
(https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/, v1 since Kubernetes 1.30).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s

from traceable_kong.cluster.tme import has_tme_cel, requests_tme_cel, selected_cel
from traceable_kong.common.image_references import ImageReference

ACTIONS = {"deny": ["Deny"], "warn": ["Warn", "Audit"]}
"""What the binding does with such a pod, by `tmeGuard`."""


@dataclass(frozen=True, kw_only=True)
class TmeGuardArgs:
    """Which pods are guarded, and how.

    `policy` names policy and binding, which are cluster-wide. `pod_selector` is a LabelSelector of the gateway's pods,
    and of no others in `namespace`. `action` is `deny` or `warn`.
    """

    policy: str
    namespace: str
    pod_selector: Mapping[str, Any]
    tme_image: ImageReference
    agent_namespace: str
    action: str
    labels: Mapping[str, str]


def policy_spec(args: TmeGuardArgs) -> dict[str, Any]:
    """The ValidatingAdmissionPolicy's `spec`.

    A new pod must have the TME if it requests it. An update must not add the request without the TME, and not remove
    the TME; it may change a pod that is wrong already, and a pod that is being deleted. Subresources (status, binding,
    ephemeral containers) are not matched: none of them changes an image or the request.
    """

    def wrong(pod: str) -> str:
        return f"(variables.{pod}Selected && {requests_tme_cel(pod)} && !variables.{pod}HasTme)"

    lost = "(variables.oldObjectSelected && variables.oldObjectHasTme && variables.objectSelected && "
    lost += "!variables.objectHasTme)"
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": args.namespace}},
            "objectSelector": dict(args.pod_selector),
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
                ("Selected", selected_cel(pod, args.pod_selector)),
                ("HasTme", has_tme_cel(pod, args.tme_image)),
            )
        ],
        "validations": [
            {
                "expression": f"oldObject == null ? !{wrong('object')} : "
                f"!({wrong('object')} && !{wrong('oldObject')}) && !{lost}",
                "message": "this gateway pod asks for the Traceable TME and would be without it (no container with the "
                f"image {args.tme_image}), so nothing would be protected: is the agent's injector in the namespace "
                f"{args.agent_namespace} up?",
                "reason": "Forbidden",
            }
        ],
    }


class TmeGuard(pulumi.ComponentResource):
    """Policy and binding. Outputs: `policy` (str), `action` (str)."""

    def __init__(self, name: str, *, args: TmeGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("traceable-kong:index:TmeGuard", name, None, opts)
        metadata = k8s.meta.v1.ObjectMetaArgs(name=args.policy, labels=dict(args.labels))
        policy = k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
            f"{name}-policy",
            metadata=metadata,
            spec=cast(k8s.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict, policy_spec(args)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
            f"{name}-binding",
            metadata=metadata,
            spec=k8s.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpecArgs(
                policy_name=args.policy, validation_actions=ACTIONS[args.action]
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({"policy": args.policy, "action": args.action})
