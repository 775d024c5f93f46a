"""Reads of a cluster that several parts of a run share."""

import socket
from datetime import datetime
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiResponse, Document, KubernetesClient
from traceable_kong.common.answers import Answers


class SharedReads(KubernetesClient):
    """A client that reads each object and each list once; `client` reads them again.

    What it has read must not be used after a change: `outdated` says that this run has changed something.
    """

    def __init__(self, client: KubernetesClient) -> None:
        self.client = client
        self.outdated = False
        self._answers = Answers()

    def forget(self) -> None:
        """Reads everything again from now on."""
        self._answers = Answers()

    @classmethod
    def of(cls, client: KubernetesClient) -> "SharedReads":
        """The client itself if it shares its reads already."""
        return client if isinstance(client, cls) else cls(client)

    def get(self, path: str) -> ApiResponse | None:
        found: ApiResponse | None = self._answers.once(path, lambda: self.client.get(path))
        return found

    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[Document]:
        found: list[Document] = self._answers.once(
            (path, metadata_only, *sorted(selectors.items())),
            lambda: self.client.list(path, metadata_only=metadata_only, **selectors),
        )
        return found

    def request(self, method: str, path: str, **options: Any) -> ApiResponse:
        return self.client.request(method, path, **options)

    def forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        return self.client.forward(namespace, pod, port)

    def server_time(self) -> datetime:
        return self.client.server_time()

    def allowed(self, verb: str, resource: str, *, group: str = "", namespace: str = "", subresource: str = "") -> bool:
        question = ("allowed", verb, resource, group, namespace, subresource)
        return bool(
            self._answers.once(
                question,
                lambda: self.client.allowed(verb, resource, group=group, namespace=namespace, subresource=subresource),
            )
        )

    def account_allowed(self, namespace: str, account: str, verb: str, resource: str, *, group: str = "") -> bool:
        question = ("account", namespace, account, verb, resource, group)
        return bool(
            self._answers.once(
                question, lambda: self.client.account_allowed(namespace, account, verb, resource, group=group)
            )
        )
