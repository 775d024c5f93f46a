"""The admission policy for gateway pods that request the TME and do not get it (plan/admission_policy.py)."""

from typing import cast

import pulumi
import pulumi_kubernetes as k8s

from traceable_kong.plan.model import AdmissionPolicy, Plan


class TmeGuard(pulumi.ComponentResource):
    """Policy and binding. Outputs: `policy` (str), `action` (str)."""

    def __init__(
        self,
        name: str,
        *,
        plan: Plan,
        policy: AdmissionPolicy,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:TmeGuard", name, None, opts)
        metadata = k8s.meta.v1.ObjectMetaArgs(name=policy.name, labels=plan.labels)
        resource = k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
            f"{name}-policy",
            metadata=metadata,
            spec=cast(k8s.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict, dict(policy.spec)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
            f"{name}-binding",
            metadata=metadata,
            spec=k8s.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpecArgs(
                policy_name=policy.name, validation_actions=policy.validation_actions
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[resource]),
        )
        self.register_outputs({"policy": policy.name, "action": policy.action})
