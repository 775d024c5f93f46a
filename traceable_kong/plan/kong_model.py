"""Kong: managed by this stack, or existing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.deployment_patch.pod_template import PatchSpec
from traceable_kong.helm_values.chart_environment import kong_environment
from traceable_kong.helm_values.kong_database import ManagedPostgres, Postgres
from traceable_kong.plan.release_model import HelmRelease


@dataclass(frozen=True, kw_only=True)
class ManagedKong:
    """A Kong that this stack installs with its chart; `database` is None in DB-less mode."""

    release: HelmRelease
    create_namespace: bool
    deployment: KongDeployment
    ingress_class: str
    database: Postgres | None

    @property
    def timeout_seconds(self) -> int:
        return self.release.timeout_seconds

    @property
    def managed_postgres(self) -> ManagedPostgres | None:
        return self.database if isinstance(self.database, ManagedPostgres) else None

    @property
    def pod_selector(self) -> Mapping[str, Any]:
        """A LabelSelector of the gateway's pods, and of no others in the namespace."""
        return {"matchLabels": {"app.kubernetes.io/instance": self.release.name, "app.kubernetes.io/component": "app"}}

    @property
    def environment(self) -> Mapping[str, str | None]:
        """The KONG_* variables that the chart values set for the next pods."""
        return kong_environment(self.release.values)


@dataclass(frozen=True, kw_only=True)
class ExistingKong:
    """A Kong that is not managed by this stack.

    `patch` is what this stack adds to its pod template; None where its owner's chart values mount the files.
    """

    deployment: KongDeployment
    container_configured: bool
    ingress_class: str
    pod_selector: Mapping[str, Any]
    patch: PatchSpec | None
    timeout_seconds: int

    create_namespace: ClassVar[bool] = False
    managed_postgres: ClassVar[None] = None


Kong = ManagedKong | ExistingKong
