"""What preflight reads: every request is sent once, whichever checks need its answer, from any thread.

It only sends reads, dry runs (`dryRun=All`) and access reviews.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS, labels_of
from traceable_kong.cluster.kubernetes_client import Document, KubernetesClient
from traceable_kong.cluster.ownership import is_owned
from traceable_kong.cluster.shared_reads import SharedReads
from traceable_kong.common.answers import Answers
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
        self._client = SharedReads.of(client)
        self.charts: Mapping[ReleaseKey, Rendering] = charts or {}
        self._answers = Answers()

    def get(self, path: str) -> Document | None:
        """One object, None if it does not exist."""
        return self._client.get(path)

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
        return self._client.list(path, metadata_only=metadata_only, **selectors)

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
        found: Entities = self._answers.once(
            ("entities", target, endpoint), lambda: self._list_entities(target, endpoint)
        )
        return found

    def _list_entities(self, target: PluginTarget, endpoint: AdminEndpoint) -> Entities:
        with admin_endpoint.client(self._client, endpoint, deadline_seconds=ENTITIES_SECONDS) as admin:
            return Entities(found=entity_changes.find_entity(admin, target), all=admin.list("/plugins"))
