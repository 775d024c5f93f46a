"""Where a Helm chart comes from."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart in a folder or archive (`path`), or by `name` and `version` from a `repository` URL.

    Exactly one of `path` and `name` is set. An `oci://` chart has its whole address in `name` and no `repository`
    (https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/).
    """

    path: str | None = None
    repository: str | None = None
    name: str | None = None
    version: str | None = None

    @property
    def reference(self) -> str:
        """The chart as Helm takes it."""
        return self.path or self.name or ""
