"""tme-guard-in-production: where pods ask for the TME, an admission policy covers them."""

from collections.abc import Iterator, Sequence

from .registered_resource import Resource, message

ADMISSION = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
BINDING = f"{ADMISSION}Binding"
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
INJECT = "tme.traceable.ai/inject"
ACTIONS = {"warn": ("Warn", "Deny"), "deny": ("Deny",)}
"""The validation actions of a binding that satisfy each value of `tmeGuard`."""


def unguarded_injection(resources: Sequence[Resource], *, least: str) -> Iterator[tuple[str, str]]:
    """URN and message for each Deployment whose pods ask for the TME (`mode: sync`) without an admission policy.

    `least` is the weakest `tmeGuard` that is accepted: `warn` or `deny`.
    """
    guarded = {namespace for namespace in _guarded(resources, ACTIONS[least]) if namespace}
    for resource in resources:
        annotations = resource.get("spec", "template", "metadata", "annotations") or {}
        asks = resource.kind in ("DeploymentPatch", "Deployment") and annotations.get(INJECT) == "true"
        namespace = resource.get("metadata", "namespace")
        if asks and namespace not in guarded:
            weaker = "off or warn" if least == "deny" else "off"
            yield (
                resource.urn,
                message(
                    f"{resource}: its pods ask for the TME (mode: sync), and no admission policy of this stack covers "
                    f"namespace {namespace} (tmeGuard: {weaker})",
                    "A pod that starts without its TME serves, and its requests get no decision",
                    f"pulumi config set traceable-kong:tmeGuard {least}",
                ),
            )


def _guarded(resources: Sequence[Resource], actions: Sequence[str]) -> Iterator[str | None]:
    """The namespaces of the admission policies that are bound with one of the actions."""
    bound = {
        resource.get("spec", "policyName")
        for resource in resources
        if resource.type == BINDING and set(resource.get("spec", "validationActions") or []) & set(actions)
    }
    for resource in resources:
        if resource.type == ADMISSION and resource.get("metadata", "name") in bound:
            selector = resource.get("spec", "matchConstraints", "namespaceSelector", "matchLabels") or {}
            yield selector.get(NAMESPACE_LABEL)
