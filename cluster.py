"""Which cluster this stack talks to: the provider's, and the same for our own questions.

`kubernetes:kubeconfig` (a path or the text itself) and `kubernetes:context` of the stack config decide; without them
the usual KUBECONFIG and its current context. Leaves out what is asked of the cluster.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s
import yaml


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster by kubeconfig and context; None means the usual one."""

    kubeconfig: str | None
    context: str | None

    def provider(self, name: str) -> k8s.Provider:
        """The provider for every resource of the program.

        `enable_config_map_mutable`: the record is updated in place; the plugin's files are immutable objects with
        names of their own (https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/).
        """
        return k8s.Provider(
            name,
            kubeconfig=self.kubeconfig,
            context=self.context,
            enable_config_map_mutable=True,
        )

    def server_url(self) -> str:
        """The API server's URL.

        Raises pulumi.RunError where no kubeconfig or no such context can be found.
        """
        documents = [yaml.safe_load(text) or {} for text in self._kubeconfig_texts()]
        # As kubectl merges several files: the first that sets a thing wins
        # (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/).
        context = self.context or next((d["current-context"] for d in documents if d.get("current-context")), None)
        cluster_name = _first(documents, "contexts", context).get("cluster")
        server = _first(documents, "clusters", cluster_name).get("server")
        if not server:
            raise pulumi.RunError(
                f"The kubeconfig has no cluster for the context {context!r}, so it cannot be told whether "
                "traceable-kong:allowedClusters allows it. Nothing was touched. See `kubectl config get-contexts`, "
                "then `pulumi config set kubernetes:context NAME`."
            )
        return str(server)

    def refuse_unless_allowed(self, allowed: Sequence[str]) -> None:
        """Raises pulumi.RunError where `allowed` names clusters, and this one is not among them."""
        if not allowed:
            return
        server = self.server_url()
        if server.rstrip("/") not in {url.rstrip("/") for url in allowed}:
            raise pulumi.RunError(
                f"This stack may touch {', '.join(allowed)} (traceable-kong:allowedClusters), and the kubeconfig "
                f"points to {server}. Nothing was touched. Choose the right cluster with "
                "`pulumi config set kubernetes:context NAME`, or add this one to allowedClusters."
            )

    def _kubeconfig_texts(self) -> list[str]:
        paths = self.kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
        if "\n" in paths or paths.lstrip().startswith("{"):
            return [paths]
        texts = []
        for path in paths.split(os.pathsep):
            with suppress(OSError):
                texts.append(Path(path).expanduser().read_text(encoding="utf-8"))
        return texts


def _first(documents: Sequence[dict[str, object]], kind: str, name: str | None) -> dict[str, str]:
    for document in documents:
        for entry in document.get(kind) or []:  # type: ignore[attr-defined]
            if entry.get("name") == name:
                return dict(entry.get(kind.rstrip("s")) or {})
    return {}


def configured() -> Cluster:
    """The cluster that the stack config names."""
    config = pulumi.Config("kubernetes")
    return Cluster(kubeconfig=config.get("kubeconfig"), context=config.get("context"))
