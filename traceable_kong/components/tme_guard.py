"""The admission policy for gateway pods that request the TME and do not get it (plan/admission_policy.py)."""

import pulumi

from traceable_kong.components.kubernetes_object import KubernetesObject
from traceable_kong.plan.model import AdmissionPolicy, Plan

API_VERSION = "admissionregistration.k8s.io/v1"


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
        metadata = {"name": policy.name, "labels": plan.labels}
        resource = KubernetesObject(
            API_VERSION,
            "ValidatingAdmissionPolicy",
            f"{name}-policy",
            {"metadata": metadata, "spec": policy.spec},
            opts=pulumi.ResourceOptions(parent=self),
        )
        KubernetesObject(
            API_VERSION,
            "ValidatingAdmissionPolicyBinding",
            f"{name}-binding",
            {
                "metadata": metadata,
                "spec": {"policyName": policy.name, "validationActions": policy.validation_actions},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[resource]),
        )
        self.register_outputs({"policy": policy.name, "action": policy.action})
