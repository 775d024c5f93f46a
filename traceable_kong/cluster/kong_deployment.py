"""The Deployment that runs Kong."""

from dataclasses import dataclass

from traceable_kong.cluster import api_objects


@dataclass(frozen=True, kw_only=True)
class KongDeployment:
    """The Deployment whose pods run Kong, and Kong's container in them."""

    namespace: str
    name: str
    container: str

    @property
    def path(self) -> str:
        return f"{api_objects.deployments(self.namespace)}/{self.name}"

    @property
    def pods_path(self) -> str:
        return api_objects.pods(self.namespace)

    @property
    def config_maps_path(self) -> str:
        return api_objects.config_maps(self.namespace)

    @property
    def secrets_path(self) -> str:
        return api_objects.secrets(self.namespace)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"
