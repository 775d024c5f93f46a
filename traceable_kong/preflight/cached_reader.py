"""A cache of what preflight reads: every request is sent once, whichever checks need its answer, from any thread.

It only sends reads, dry runs (`dryRun=All`) and access reviews.
"""

import threading
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS, labels_of
from traceable_kong.cluster.kubernetes_client import Document, KubernetesClient
from traceable_kong.cluster.ownership import is_owned
from traceable_kong.helm_values.rendered_chart import RenderedChart, Rendering
from traceable_kong.kong_admin import admin_endpoint, entity_changes
from traceable_kong.kong_admin.admin_endpoint import AdminEndpoint
from traceable_kong.kong_admin.plugin_target import PluginTarget
from traceable_kong.plan.kong_model import ExistingKong, Kong
from traceable_kong.plan.release_model import ReleaseKey


def plugins_of(reader: "CachedReader", owner: str) -> list[Document]:
    """Every KongClusterPlugin of a stack."""
    return [item for item in reader.list(CLUSTER_PLUGINS) if is_owned(labels_of(item), owner)]


ENTITIES_SECONDS = 5.0
"""How long Kong may take to list its plugin entities."""


@dataclass(frozen=True, kw_only=True)
class Entities:
    """Plugin entities in Kong's database: at a stack's target, and all of the workspace."""

    found: entity_changes.EntityState
    all: list[Document]


class CachedReader:
    """A cluster, read once per run, and what the stack's charts create. Every read raises ApiError or Unreachable.

    `charts` are the renderings; there is none of a chart that was judged before.
    """

    def __init__(self, client: KubernetesClient, charts: Mapping[ReleaseKey, Rendering] | None = None) -> None:
        self._client = client
        self.charts: Mapping[ReleaseKey, Rendering] = charts or {}
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}

    def get(self, path: str) -> Document | None:
        """One object, None if it does not exist."""
        found: Document | None = self._once(path, lambda: self._client.get(path))
        return found

    def rendered(self, key: ReleaseKey) -> RenderedChart | None:
        """What a chart of this stack creates; None if it was judged before, and if it cannot be rendered, which a
        check of its own reports."""
        found = self.charts.get(key)
        return found if isinstance(found, RenderedChart) else None

    def next_deployment(self, kong: Kong) -> Document | None:
        """Kong's Deployment as the next pods will see it: an existing one as it is, a managed one as its chart
        renders it. None if there is none, and for a managed one that was judged before."""
        if isinstance(kong, ExistingKong):
            return self.get(kong.deployment.path)
        chart = self.rendered(kong.release.key)
        return chart.find("Deployment", kong.deployment.namespace, kong.deployment.name) if chart else None

    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[Document]:
        """All objects at the path of a collection."""
        found: list[Document] = self._once(
            (path, metadata_only, *sorted(selectors.items())),
            lambda: self._client.list(path, metadata_only=metadata_only, **selectors),
        )
        return found

    def allowed(self, verb: str, resource: str, *, group: str, namespace: str, subresource: str) -> bool:
        """Whether the user has a permission."""
        return self._client.allowed(verb, resource, group=group, namespace=namespace, subresource=subresource)

    def account_allowed(self, namespace: str, account: str, verb: str, resource: str, *, group: str) -> bool:
        """Whether a service account has a permission in the whole cluster."""
        return self._client.account_allowed(namespace, account, verb, resource, group=group)

    def would_create(self, path: str, body: Document) -> None:
        """Tries to create an object in a dry run. Raises ApiError with the reason if that is refused."""
        self._client.request("POST", path, query={"dryRun": "All"}, body=body)

    def entities(self, target: PluginTarget, endpoint: AdminEndpoint) -> Entities:
        """What Kong's Admin API lists. Also raises AdminError."""
        found: Entities = self._once(("entities", target, endpoint), lambda: self._list_entities(target, endpoint))
        return found

    def _list_entities(self, target: PluginTarget, endpoint: AdminEndpoint) -> Entities:
        with admin_endpoint.client(self._client, endpoint, deadline_seconds=ENTITIES_SECONDS) as admin:
            return Entities(found=entity_changes.find_entity(admin, target), all=admin.list("/plugins"))

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
