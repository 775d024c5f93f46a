"""Resource types and kinds, and their paths at the API server.

A type token is `kubernetes:<group>/<version>:<Kind>`, with `core` for the group without a name, and with `<Kind>Patch`
for a patch of an existing object
(https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/). Paths
come from the server's discovery, which is read again if a kind is missing.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.provider.kubernetes.api_client import ApiClient, ApiError

RELEASE = "kubernetes:helm.sh/v3:Release"

_KNOWN_GROUPS = {
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
}

_NAMESPACED = {
    *("Binding", "ConfigMap", "ControllerRevision", "CronJob", "CSIStorageCapacity", "DaemonSet", "Deployment"),
    *("Endpoints", "EndpointSlice", "Event", "HorizontalPodAutoscaler", "Ingress", "Job", "Lease", "LimitRange"),
    *("NetworkPolicy", "PersistentVolumeClaim", "Pod", "PodDisruptionBudget", "PodTemplate", "ReplicaSet"),
    *("ReplicationController", "ResourceQuota", "Role", "RoleBinding", "Secret", "Service", "ServiceAccount"),
    "StatefulSet",
}
_CLUSTER_SCOPED = {
    *("APIService", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding", "CSIDriver", "CSINode"),
    *("CustomResourceDefinition", "FlowSchema", "IngressClass", "MutatingWebhookConfiguration", "Namespace", "Node"),
    *("PersistentVolume", "PodSecurityPolicy", "PriorityClass", "PriorityLevelConfiguration", "RuntimeClass"),
    *("StorageClass", "ValidatingWebhookConfiguration", "VolumeAttachment"),
}


class NoMatch(Exception):
    """The API server does not know the kind."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(f'no matches for kind "{kind}" in version "{api_version}"')


@dataclass(frozen=True)
class Kind:
    """A kind at the API server: `plural` is its name in paths under `api_version`."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        """Returns the path of an object, or of the collection if no name is given."""
        prefix = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        place = f"/namespaces/{namespace or 'default'}" if self.namespaced else ""
        return f"{prefix}{place}/{self.plural}" + (f"/{name}" if name else "")


class ResourceKinds:
    """The kinds of a cluster, discovered on demand. Safe to use from several threads."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._found: dict[str, dict[str, Kind]] = {}

    def find(self, api_version: str, kind: str) -> Kind:
        """Returns the kind. Asks the server if it is not known yet. Raises NoMatch, ApiError or Unreachable."""
        with self._lock:
            known = self._found.get(api_version, {}).get(kind)
        if known is not None:
            return known
        found = self._discover(api_version, kind)
        with self._lock:
            self._found[api_version] = found
        if kind not in found:
            raise NoMatch(api_version, kind)
        return found[kind]

    def exists(self, api_version: str, kind: str) -> bool:
        """Returns True if the cluster has the kind."""
        try:
            self.find(api_version, kind)
        except (NoMatch, ApiError):
            return False
        return True

    def namespaced(self, api_version: str, kind: str) -> bool:
        """Returns True if the kind is namespaced. An unknown kind is assumed to be."""
        try:
            return self.find(api_version, kind).namespaced
        except NoMatch:
            return True

    def forget(self) -> None:
        """Clears the cache, as after a change of CRDs."""
        with self._lock:
            self._found.clear()

    def _discover(self, api_version: str, kind: str) -> dict[str, Kind]:
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        if not api_version:
            raise NoMatch(api_version, kind)
        try:
            answer = self._api.request("GET", path)
        except ApiError as problem:
            if problem.not_found:
                raise NoMatch(api_version, kind) from None
            raise
        return {
            each["kind"]: Kind(api_version, each["kind"], each["name"], bool(each["namespaced"]))
            for each in answer.get("resources", [])
            if "/" not in each["name"]
        }


def urn_type(urn: str) -> str:
    """Returns the type token of the resource, without those of its parents."""
    return urn.split("::")[2].split("$")[-1]


def urn_name(urn: str) -> str:
    """Returns the logical name."""
    return urn.split("::", 3)[3]


def from_token(token: str) -> tuple[str, str]:
    """Returns apiVersion and kind of a type token. The kind keeps its suffix `Patch`. Raises ValueError."""
    _, module, kind = token.split(":")
    group, separator, version = module.partition("/")
    if not separator:
        raise ValueError(f'apiVersion does not have both a group and a version: "{module}"')
    return (version if group == "core" else f"{group}/{version}"), kind


def is_patch(urn: str, kind: str) -> bool:
    """Returns True if the resource is a patch: its type ends in `Patch` and its object's kind does not."""
    type_kind = urn_type(urn).split(":")[-1]
    if not type_kind.endswith("Patch") or not is_built_in(from_token(urn_type(urn))[0]):
        return False
    return not kind or type_kind == f"{kind}Patch"


def is_list(urn: str) -> bool:
    """Returns True if the type is a list of objects, which cannot be created."""
    token = urn_type(urn)
    return token.endswith("List") and is_built_in(from_token(token)[0])


def is_built_in(api_version: str) -> bool:
    """Returns True if the group is part of Kubernetes (`KnownGroupVersions` in kinds.go)."""
    group = api_version.rpartition("/")[0]
    return not group or group in _KNOWN_GROUPS


def built_in_scope(api_version: str, kind: str) -> bool | None:
    """Returns True for a namespaced kind and False for a cluster-scoped one, without asking the cluster.

    Returns None if that is not known (`Namespaced` in provider/pkg/kinds/kinds.go).
    """
    name = kind.removesuffix("List")
    if not is_built_in(api_version) or name not in _NAMESPACED | _CLUSTER_SCOPED:
        return None
    return name in _NAMESPACED


def is_crd(document: Mapping[str, Any]) -> bool:
    """Returns True if the object is a CustomResourceDefinition."""
    group = str(document.get("apiVersion", "")).rpartition("/")[0]
    return group == "apiextensions.k8s.io" and document.get("kind") == "CustomResourceDefinition"
