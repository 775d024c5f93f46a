"""The Deployment that runs Kong."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class KongDeployment:
    """The Deployment whose pods run Kong, and Kong's container in them."""

    namespace: str
    name: str
    container: str

    @property
    def path(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{self.name}"

    @property
    def pods_path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    @property
    def config_maps_path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/configmaps"

    @property
    def secrets_path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/secrets"

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"
