"""Whether the cluster can have the guard at all."""

from collections.abc import Iterator

from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import Intent

ADMISSION_API = "/apis/admissionregistration.k8s.io/v1"
"""What the server knows of this group; everybody may read it."""

POLICY_RESOURCES = frozenset({"validatingadmissionpolicies", "validatingadmissionpolicybindings"})
"""The policy, and what puts it in force: a server can be told to leave out either (`--runtime-config`)."""


def cluster_knows_policies(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The cluster has ValidatingAdmissionPolicy in v1, which came with Kubernetes 1.30.

    Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/.
    """
    if intent.policy is None:
        return
    known = {item.get("name") for item in (looks.get(ADMISSION_API) or {}).get("resources") or []}
    missing = sorted(POLICY_RESOURCES - known)
    if known and missing:
        yield Finding(
            subject="traceable-kong:tmeGuard",
            wrong=f"needs ValidatingAdmissionPolicy in v1, and this cluster has no {' and no '.join(missing)}: it is "
            "older than Kubernetes 1.30, or its API server was told to leave that out. The guard could not be made",
            mend="`pulumi config set traceable-kong:tmeGuard off`, and the proof finds a gateway pod without the TME "
            "instead of its being refused; or a cluster that has it",
        )
