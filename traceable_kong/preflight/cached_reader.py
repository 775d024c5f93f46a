"""Looking: each thing is asked of the cluster once, whoever wants to know, from as many threads as there are rules.

Only reads, and asks to be told what would be (`dryRun=All`, SubjectAccessReviews).
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from traceable_kong.cluster.kubernetes_client import Document, KubernetesClient
from traceable_kong.cluster.ownership import is_owned
from traceable_kong.kong_admin import entity_changes
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint, client
from traceable_kong.kong_admin.plugin_target import PluginTarget

CLUSTER_PLUGINS = "/apis/configuration.konghq.com/v1/kongclusterplugins"
CLUSTER_ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
MUTATING_WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
NAMESPACED_PLUGINS = "/apis/configuration.konghq.com/v1/kongplugins"
NAMESPACES = "/api/v1/namespaces"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
POLICY_BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
STORAGE_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


def config_maps(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/configmaps"


def secrets(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/secrets"


def services(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/services"


def stateful_set(namespace: str, name: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}"


def deployment(namespace: str, name: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"


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


def plugins_of(looks: "CachedReader", owner: str) -> list[Document]:
    """Every KongClusterPlugin of a stack, whatever it is called."""
    return [item for item in looks.list(CLUSTER_PLUGINS) if is_owned(labels_of(item), owner)]


ROWS_SECONDS = 5.0
"""How long Kong may take to show its rows."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What Kong's database has: at the place of a stack's row, and all plugins of its workspace."""

    found: entity_changes.Found
    all: list[Document]


class Reader(Protocol):
    """Reads objects: a cluster itself, or what one run has seen of it."""

    def get(self, path: str) -> Document | None: ...
    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> "list[Document]": ...


class CachedReader:
    """A cluster as it is seen in one run. Every method raises kube.ApiError or kube.Unreachable."""

    def __init__(self, api: KubernetesClient) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}

    def get(self, path: str) -> Document | None:
        """One object, None where it is not there."""
        found: Document | None = self._once(path, lambda: self._api.get(path))
        return found

    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[Document]:
        """All objects below a path."""
        found: list[Document] = self._once(
            (path, metadata_only, *sorted(selectors.items())),
            lambda: self._api.list(path, metadata_only=metadata_only, **selectors),
        )
        return found

    def allowed(self, verb: str, resource: str, *, group: str, namespace: str, subresource: str) -> bool:
        """Whether we may."""
        return self._api.allowed(verb, resource, group=group, namespace=namespace, subresource=subresource)

    def account_allowed(self, namespace: str, account: str, verb: str, resource: str, *, group: str) -> bool:
        """Whether a service account may, in the whole cluster."""
        return self._api.account_allowed(namespace, account, verb, resource, group=group)

    def would_create(self, path: str, body: Document) -> None:
        """Nothing where the object could be made; kube.ApiError with the reason where not. Nothing is made."""
        self._api.request("POST", path, query={"dryRun": "All"}, body=body)

    def rows(self, place: PluginTarget, access: AdminEndpoint) -> Rows:
        """What Kong shows of its plugins. Raises AdminError as well."""
        found: Rows = self._once(("rows", place, access), lambda: self._ask_kong(place, access))
        return found

    def _ask_kong(self, place: PluginTarget, access: AdminEndpoint) -> Rows:
        with client(self._api, access, deadline_seconds=ROWS_SECONDS) as asked:
            return Rows(found=entity_changes.look(asked, place), all=asked.list("/plugins"))

    def _once(self, key: Hashable, ask: Callable[[], Any]) -> Any:
        with self._lock:
            future = self._answers.get(key)
            first = future is None
            if future is None:
                future = self._answers[key] = Future()
        if first:
            try:
                future.set_result(ask())
            except Exception as problem:
                future.set_exception(problem)
        return future.result()
