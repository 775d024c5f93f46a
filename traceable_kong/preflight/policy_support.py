"""Whether the cluster supports the admission policy."""

from collections.abc import Iterator

from traceable_kong.common.commands import config_set
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding

ADMISSION_API = "/apis/admissionregistration.k8s.io/v1"
"""The resources that the API server has in this group. Every user may read it."""

POLICY_RESOURCES = frozenset({"validatingadmissionpolicies", "validatingadmissionpolicybindings"})
"""The policy and its binding. A server can be configured without either (`--runtime-config`)."""


def cluster_supports_policies(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The cluster has ValidatingAdmissionPolicy v1, which Kubernetes 1.30 introduced.

    Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/.
    """
    if gateway.policy is None:
        return
    known = {item.get("name") for item in (reader.get(ADMISSION_API) or {}).get("resources") or []}
    missing = sorted(POLICY_RESOURCES - known)
    if known and missing:
        yield Finding(
            subject="traceable-kong:tmeGuard",
            problem=f"needs ValidatingAdmissionPolicy v1, but this cluster has no {' and no '.join(missing)}. It is "
            "older than Kubernetes 1.30, or its API server was configured without them. The admission policy cannot "
            "be created",
            fix=f"Do without the policy: `{config_set('tmeGuard', 'off')}`. The verification then still finds a "
            "gateway pod without the TME, but such a pod can start. Or use a newer cluster",
        )
