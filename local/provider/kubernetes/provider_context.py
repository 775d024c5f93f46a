"""What the parts of the plugin share during one run of the engine."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from local.provider.kubernetes.api_client import ApiClient
from local.provider.kubernetes.api_discovery import ResourceKinds
from local.provider.kubernetes.provider_config import ProviderConfig
from local.provider.kubernetes.provider_errors import Cancelled, ProviderError

Log = Callable[[str, str, str], None]
"""Says something to the person: severity (`info`, `warning`, `error`, or `status` for a passing line), URN, text."""


@dataclass
class Context:
    """A configured provider: its settings, its cluster if there is one, its voice, and whether it was cancelled.

    `unreachable` says why there is no cluster, and is empty where there is one.
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
        """The cluster. Raises ProviderError where there is none."""
        if self.api is None or self.unreachable:
            raise ProviderError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        return self.api

    @property
    def kinds(self) -> ResourceKinds:
        """The cluster's kinds. Raises ProviderError where there is no cluster."""
        if self.found_kinds is None or self.unreachable:
            raise ProviderError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        return self.found_kinds

    @property
    def default_namespace(self) -> str:
        """Where an object without a namespace goes."""
        return self.api.default_namespace if self.api else self.settings.namespace or "default"

    def sleep(self, seconds: float) -> None:
        """Waits, but not past a cancellation. Raises Cancelled."""
        if self.cancelled.wait(seconds):
            raise Cancelled("the operation was cancelled")
