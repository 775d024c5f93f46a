"""What the modules of the plugin share during one run of the engine."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from local.provider.kubernetes.api_client import ApiClient
from local.provider.kubernetes.api_discovery import ResourceKinds
from local.provider.kubernetes.provider_config import ProviderConfig
from local.provider.kubernetes.provider_errors import Cancelled, ProviderError

Log = Callable[[str, str, str], None]
"""(severity, URN, message) -> None. Severities: `info`, `warning`, `error`, and `status` for a transient message."""


@dataclass
class Context:
    """A configured provider: its configuration, its cluster, its log, and whether it was cancelled.

    `unreachable` is the reason why the cluster is not available, otherwise empty. `api` is None if there is no usable
    kubeconfig.
    """

    settings: ProviderConfig
    log: Log
    api: ApiClient | None = None
    found_kinds: ResourceKinds | None = None
    unreachable: str = ""
    version: tuple[int, int] = (0, 0)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def cluster(self) -> ApiClient:
        """The cluster's client. Raises ProviderError if the cluster is unreachable."""
        if self.api is None or self.unreachable:
            raise ProviderError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        return self.api

    @property
    def kinds(self) -> ResourceKinds:
        """The cluster's kinds. Raises ProviderError if the cluster is unreachable."""
        if self.found_kinds is None or self.unreachable:
            raise ProviderError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        return self.found_kinds

    @property
    def default_namespace(self) -> str:
        """The namespace of objects that have none."""
        return self.api.default_namespace if self.api else self.settings.namespace or "default"

    def sleep(self, seconds: float) -> None:
        """Waits. Raises Cancelled as soon as the run is cancelled."""
        if self.cancelled.wait(seconds):
            raise Cancelled("the operation was cancelled")
