"""The guard: an admission policy that refuses, or warns about, a gateway pod that asked for the TME and has none.

The injector's webhook fails open, so a gateway pod starts without its sidecar when the injector is away, and the
plugin would call nobody. The API server itself evaluates the policy, after all webhooks
(https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/, v1 since Kubernetes 1.30).
It stands before the gateway and goes after it. Leaves out the asking for the TME (TmeInjection).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s

ACTIONS = {"deny": ["Deny"], "warn": ["Warn", "Audit"]}
"""What happens to such a pod, by `tmeGuard`."""

_ASKS = "tme.traceable.ai/inject"


@dataclass(frozen=True, kw_only=True)
class TmeGuardArgs:
    """Which pods are guarded, and how.

    `policy` names policy and binding, which are cluster-wide. `pod_selector` is a LabelSelector of the gateway's pods,
    and of no others in `namespace`. `tme_image` is the image's name without registry and tag. `action` is `deny` or
    `warn`.
    """

    policy: str
    namespace: str
    pod_selector: Mapping[str, Any]
    tme_image: str
    agent_namespace: str
    action: str
    labels: Mapping[str, str]


def policy_spec(args: TmeGuardArgs) -> dict[str, Any]:
    """The ValidatingAdmissionPolicy's `spec`."""
    image = "(^|/)" + re.sub(r"([^A-Za-z0-9_/-])", r"[\1]", args.tme_image.rsplit("/", 1)[-1]) + "([:@]|$)"
    has_tme = f"c.image.matches({json.dumps(image)})"
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": args.namespace}},
            "objectSelector": dict(args.pod_selector),
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
            ],
        },
        "matchConditions": [
            {
                "name": "asks-for-the-tme",
                "expression": f"has(object.metadata.annotations) && '{_ASKS}' in object.metadata.annotations "
                f"&& object.metadata.annotations['{_ASKS}'] == 'true'",
            }
        ],
        "validations": [
            {
                "expression": f"object.spec.containers.exists(c, {has_tme}) || (has(object.spec.initContainers) "
                f"&& object.spec.initContainers.exists(c, {has_tme}))",
                "message": "this gateway pod asks for the Traceable TME and did not get it, so nothing would be "
                f"protected: is the agent's injector in the namespace {args.agent_namespace} up?",
                "reason": "Forbidden",
            }
        ],
    }


class TmeGuard(pulumi.ComponentResource):
    """The guard. Outputs: `policy` (str), `action` (str)."""

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
