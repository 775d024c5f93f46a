"""Where a Helm chart comes from, for the Releases of the agent and of Kong. Leaves out its values."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart in a folder or archive (`path`), or by `name` and `version` from a `repository` URL.

    Exactly one of `path` and `name` is set. An `oci://` chart is its whole address in `name`, without `repository`
    (https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/).
    """

    path: str | None = None
    repository: str | None = None
    name: str | None = None
    version: str | None = None

    @property
    def reference(self) -> str:
        """What Helm is given as the chart."""
        return self.path or self.name or ""

    @property
    def repository_opts(self) -> k8s.helm.v3.RepositoryOptsArgs | None:
        """The repository as a Release takes it; None for a path or an OCI address."""
        return k8s.helm.v3.RepositoryOptsArgs(repo=self.repository) if self.repository else None
