"""What a stack leaves in the cluster that is not in its namespaces, and these namespaces."""

from contextlib import suppress

from local.kubelet.kube_client import ApiError, KubeClient

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"

COLLECTIONS = (
    # First what judges the others.
    *(f"{_ADMISSION}/{kind}webhookconfigurations" for kind in ("mutating", "validating")),
    *(f"{_ADMISSION}/validatingadmissionpolic{end}" for end in ("ybindings", "ies")),
    *("/apis/configuration.konghq.com/v1/kongclusterplugins", "/apis/networking.k8s.io/v1/ingressclasses"),
    *(f"{_RBAC}/{kind}" for kind in ("clusterrolebindings", "clusterroles")),
    "/api/v1/namespaces",
)


def delete(api: KubeClient, name: str) -> None:
    """Deletes every object of the cluster whose name has `name` in it."""
    for collection in COLLECTIONS:
        for found in _names(api, collection):
            if name in found:
                # It may be gone, or going.
                with suppress(ApiError):
                    api.request("DELETE", f"{collection}/{found}")


def _names(api: KubeClient, collection: str) -> list[str]:
    try:
        return [item["metadata"]["name"] for item in api.request("GET", collection)["items"]]
    except ApiError as problem:
        if problem.code == 404:
            return []
        raise
