"""What gives gateway pods the TME, and what refuses them without it: the objects as they exist now. Reads only.

The policy and its binding, the namespace's label, and the webhook of the agent's injector; the annotation is in the
gateway's Deployment. What they should be is verification/desired_state.py, whether they are
verification/injection_checks.py.
"""

from dataclasses import dataclass

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.verification.desired_state import DesiredState
from traceable_kong.verification.object_reads import Seen, read

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{ADMISSION}/validatingadmissionpolicies"
BINDINGS = f"{ADMISSION}/validatingadmissionpolicybindings"
WEBHOOKS = f"{ADMISSION}/mutatingwebhookconfigurations"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """None where an object does not exist, or is not expected."""

    policy: Seen = None
    binding: Seen = None
    namespace: Seen = None
    webhook: Seen = None


def look_around(api: KubernetesClient, expected: DesiredState) -> Surroundings:
    """Only what is expected is read. Raises kube.ApiError or kube.Unreachable."""
    guard, injection = expected.guard, expected.injection
    named = injection.webhook if injection else ""
    policy = read(api, "ValidatingAdmissionPolicy", f"{POLICIES}/{guard.policy}") if guard else None
    binding = read(api, "ValidatingAdmissionPolicyBinding", f"{BINDINGS}/{guard.policy}") if guard else None
    return Surroundings(
        policy=policy,
        binding=binding,
        namespace=read(api, "Namespace", f"/api/v1/namespaces/{expected.namespace}") if injection else None,
        webhook=read(api, "MutatingWebhookConfiguration", f"{WEBHOOKS}/{named}") if named else None,
    )
