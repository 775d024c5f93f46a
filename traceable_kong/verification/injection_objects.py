"""Reads the objects that give gateway pods the TME, or refuse them without it, as they are in the cluster.

The policy and its binding, the namespace with its label, and the webhook of the agent's injector. The annotations are
in the gateway's Deployment.
"""

from dataclasses import dataclass

from traceable_kong.cluster.api_objects import MUTATING_WEBHOOKS, NAMESPACES, POLICIES, POLICY_BINDINGS
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.plan.model import DesiredState
from traceable_kong.verification.object_reads import ObservedObject, read


@dataclass(frozen=True, kw_only=True)
class InjectionObjects:
    """Each is None if it does not exist or is not desired."""

    policy: ObservedObject = None
    binding: ObservedObject = None
    namespace: ObservedObject = None
    webhook: ObservedObject = None


def observe_injection(api: KubernetesClient, desired: DesiredState) -> InjectionObjects:
    """Reads only what is desired. Raises ApiError or Unreachable."""
    policy, injection = desired.policy, desired.injection
    webhook = injection.webhook if injection else None
    return InjectionObjects(
        policy=read(api, "ValidatingAdmissionPolicy", f"{POLICIES}/{policy.name}") if policy else None,
        binding=read(api, "ValidatingAdmissionPolicyBinding", f"{POLICY_BINDINGS}/{policy.name}") if policy else None,
        namespace=read(api, "Namespace", f"{NAMESPACES}/{desired.deployment.namespace}") if injection else None,
        webhook=read(api, "MutatingWebhookConfiguration", f"{MUTATING_WEBHOOKS}/{webhook}") if webhook else None,
    )
