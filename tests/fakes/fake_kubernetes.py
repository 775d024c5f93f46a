"""A cluster in memory: objects by path, the requests for them, and servers behind the ports of pods."""

import socket
import threading
from collections.abc import Callable
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiError, ApiResponse, Document, KubernetesClient

Serve = Callable[[socket.socket], object]


class FakeKubernetes(KubernetesClient):
    """`objects` are by path; `problems` are the errors that a path raises instead.

    `on_create` answers every POST; `changed` are the requests that change something. `listeners` serve the other end
    of a port-forward, by pod and port; without one the socket is closed, as the kubelet does.
    """

    def __init__(self, *objects: tuple[str, Document]) -> None:
        self.server_url = "https://fake:6443"
        self.objects = dict(objects)
        self.problems: dict[str, Exception] = {}
        self.on_create: Callable[[Document], ApiResponse] = ApiResponse
        self.changed: list[tuple[str, str]] = []
        self.created: list[tuple[Document, dict[str, str]]] = []
        self.listed: list[tuple[str, dict[str, str]]] = []
        self.listeners: dict[tuple[str, int], Serve] = {}
        self.forwarded: list[tuple[str, str, int]] = []

    def put(self, path: str, document: Document) -> Document:
        """Stores an object at its path, which gives it its name and namespace."""
        metadata = document.setdefault("metadata", {})
        metadata.setdefault("name", path.rsplit("/", 1)[-1])
        if "/namespaces/" in path:
            metadata.setdefault("namespace", path.split("/namespaces/")[1].split("/")[0])
        self.objects[path] = document
        return document

    def get(self, path: str) -> ApiResponse | None:
        self._trouble(path)
        return ApiResponse(self.objects[path]) if path in self.objects else None

    def list(self, path: str, **selectors: Any) -> list[Document]:
        self.listed.append((path, selectors))
        self._trouble(path)
        wanted = _pairs(selectors.get("labelSelector", ""))
        fields = _pairs(selectors.get("fieldSelector", ""))
        return [
            item
            for where, item in list(self.objects.items())
            if where.rsplit("/", 1)[0] == path
            and wanted.items() <= item["metadata"].get("labels", {}).items()
            and all(_field(item, name) == value for name, value in fields.items())
        ]

    def request(self, method: str, path: str, *, query: Any = None, body: Any = None, **_: Any) -> ApiResponse:
        self._trouble(path)
        self.changed.append((method, path))
        if method == "DELETE":
            metadata = self.objects[path]["metadata"]
            if any(metadata.get(key) != value for key, value in (body or {}).get("preconditions", {}).items()):
                raise ApiError(409, "Conflict", "the object has been modified")
            return ApiResponse(self.objects.pop(path))
        assert method == "POST", method
        self.created.append((body, dict(query or {})))
        return self.on_create(body)

    def forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        self.forwarded.append((namespace, pod, port))
        local, remote = socket.socketpair()
        serve = self.listeners.get((pod, port))
        if serve is None:
            remote.close()
        else:
            threading.Thread(target=serve, args=(remote,), daemon=True).start()
        return local

    def _trouble(self, path: str) -> None:
        if path in self.problems:
            raise self.problems[path]


def _pairs(selector: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in selector.split(",") if part)


def _field(item: Any, path: str) -> Any:
    for name in path.split("."):
        item = item.get(name, {})
    return item


def forbidden(text: str = "you may not") -> ApiError:
    """The error for a request without permission."""
    return ApiError(403, "Forbidden", text)
