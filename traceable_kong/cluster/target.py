"""Which cluster the stack deploys to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from traceable_kong.cluster.api_connection import ApiAddress
from traceable_kong.cluster.api_objects import deployments
from traceable_kong.cluster.kubeconfig import UnusableKubeconfig, connect
from traceable_kong.cluster.kubeconfig_files import is_text
from traceable_kong.cluster.kubernetes_client import REQUEST_SECONDS, ApiError, KubernetesClient, Unreachable
from traceable_kong.cluster.shared_reads import SharedReads
from traceable_kong.common.commands import cluster_options, config_set
from traceable_kong.common.safe_text import PlainError

_KUBECONFIG = "kubernetes:kubeconfig"


class ClusterError(PlainError):
    """The cluster cannot be used; the text is for the person at the terminal."""


def request_seconds(provider: Mapping[str, Any]) -> float:
    """How long a request to the API server may take, by the arguments for the kubernetes provider."""
    return float((provider.get("kube_client_settings") or {}).get("timeout") or REQUEST_SECONDS)


@dataclass(frozen=True, kw_only=True)
class ClusterTarget:
    """A cluster by kubeconfig (a path or its text) and context; None is the default of kubectl.

    `secret` is True where the stack config keeps the kubeconfig encrypted. `provider` are further arguments for the
    kubernetes provider, as its SDK names them.
    """

    kubeconfig: str | None = field(repr=False)
    context: str | None
    secret: bool = False
    provider: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def api(self) -> KubernetesClient:
        """A connection to the cluster. Raises ClusterError where the kubeconfig names none."""
        try:
            return connect(
                kubeconfig=self.kubeconfig,
                context=self.context,
                request_seconds=request_seconds(self.provider),
                as_provider=True,
                named_by=_KUBECONFIG,
                secret=self.secret,
            )
        except UnusableKubeconfig as problem:
            fix = problem.fix(f"`{config_set(_KUBECONFIG, 'FILE')}`", f"`{config_set('kubernetes:context', 'NAME')}`")
            raise ClusterError(
                f"The cluster of this stack cannot be determined: {problem}. Nothing was changed. {fix}"
            ) from None

    @cached_property
    def reads(self) -> SharedReads:
        """What this run reads before it changes something. Raises ClusterError as `api` does."""
        return SharedReads(self.api)

    @property
    def address(self) -> ApiAddress:
        """Where its API server is: the same for all contexts of one cluster. Raises ClusterError as `api` does."""
        return self.api.address

    @property
    def command_options(self) -> str:
        """The options for kubectl that name this cluster, each after a space; never the text of a kubeconfig."""
        is_path = self.kubeconfig and not self.secret and not is_text(self.kubeconfig)
        return cluster_options(kubeconfig=self.kubeconfig if is_path else None, context=self.context)

    def require_allowed(self, allowed: Sequence[str]) -> None:
        """Raises ClusterError where `allowed` names API servers, and this cluster's is not among them."""
        if not allowed:
            return
        server = self.api.server_url
        if server.rstrip("/") not in {url.rstrip("/") for url in allowed}:
            raise ClusterError(
                f"The kubeconfig points to the cluster {server}, which traceable-kong:allowedClusters does not allow "
                f"(it allows {', '.join(allowed)}). Nothing was changed. Choose another cluster with "
                "`pulumi config set kubernetes:context NAME`, or add this one to allowedClusters."
            )

    def selector_of(self, namespace: str, deployment: str) -> dict[str, Any]:
        """The LabelSelector of a Deployment's pods; {} where it does not exist, which preflight refuses.

        Raises ClusterError where it cannot be read.
        """
        try:
            found = self.reads.get(f"{deployments(namespace)}/{deployment}")
        except (ApiError, Unreachable) as problem:
            raise ClusterError(
                f"Deployment {namespace}/{deployment} could not be read: {problem}. Nothing was changed. Run the "
                f"command again; `kubectl auth can-i get deployments.apps --namespace {namespace}` shows whether you "
                "may read it."
            ) from None
        return dict(found["spec"]["selector"]) if found else {}
