"""Objects of the Kubernetes API: their paths, their metadata, and how they are read."""

from typing import Protocol

from traceable_kong.cluster.kubernetes_client import Document

CLUSTER_PLUGINS = "/apis/configuration.konghq.com/v1/kongclusterplugins"
CLUSTER_ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
MUTATING_WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
NAMESPACED_PLUGINS = "/apis/configuration.konghq.com/v1/kongplugins"
NAMESPACES = "/api/v1/namespaces"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
POLICY_BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
STORAGE_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
VALIDATING_WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


def config_maps(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/configmaps"


def secrets(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/secrets"


def services(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/services"


def stateful_set(namespace: str, name: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}"


def deployments(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments"


def network_policies(namespace: str) -> str:
    return f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"


def pods(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/pods"


def labels_of(item: Document) -> dict[str, str]:
    return dict((item.get("metadata") or {}).get("labels") or {})


def annotations_of(item: Document) -> dict[str, str]:
    return dict((item.get("metadata") or {}).get("annotations") or {})


def name_of(item: Document) -> str:
    return str((item.get("metadata") or {}).get("name"))


class Reader(Protocol):
    """Reads objects from a cluster, or from a cache of it."""

    def get(self, path: str) -> Document | None: ...
    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> "list[Document]": ...
