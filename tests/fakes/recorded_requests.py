"""Records what is read of a cluster in memory, and how much."""

import json
import socket
from collections import Counter
from datetime import datetime
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiResponse, Document, KubernetesClient


class RecordedRequests(KubernetesClient):
    """`reads` are the requests for objects and lists, `characters` how much was answered in JSON."""

    def __init__(self, kube: KubernetesClient) -> None:
        self.kube = kube
        self.reads: list[str] = []
        self.characters = 0

    @property
    def repeated(self) -> list[str]:
        return [read for read, count in Counter(self.reads).items() if count > 1]

    def get(self, path: str) -> ApiResponse | None:
        found = self.kube.get(path)
        self._record(path, found)
        return found

    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[Document]:
        found = self.kube.list(path, metadata_only=metadata_only, **selectors)
        self._record(f"{path} {metadata_only} {sorted(selectors.items())}", found)
        return found

    def allowed(self, verb: str, resource: str, **where: str) -> bool:
        self._record(f"may {verb} {resource} {sorted(where.items())}", True)
        return self.kube.allowed(verb, resource, **where)

    def account_allowed(self, namespace: str, account: str, verb: str, resource: str, *, group: str = "") -> bool:
        self._record(f"may {namespace}/{account} {verb} {resource}.{group}", True)
        return self.kube.account_allowed(namespace, account, verb, resource, group=group)

    def request(self, method: str, path: str, **options: Any) -> ApiResponse:
        return self.kube.request(method, path, **options)

    def forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        return self.kube.forward(namespace, pod, port)

    def server_time(self) -> datetime:
        return self.kube.server_time()

    def _record(self, read: str, answer: Any) -> None:
        self.reads.append(read)
        self.characters += len(json.dumps(answer))
