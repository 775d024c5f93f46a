"""A client for a Kubernetes API server, with the credentials of a kubeconfig.

The platform's tool `kubernetes-client` (local/toolchain/modules/kubernetes/client) does the work with client-go, as the
official plugin does: the official Python client reads kubeconfigs in another way and knows no impersonation. The tool
ends when its stdin is closed, and so with this process, whatever ends it.
"""

import itertools
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from local.provider.kubernetes.provider_config import ProviderConfig
from local.provider.kubernetes.provider_errors import ProviderError

PROGRAM = "kubernetes-client"

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"


class ApiError(Exception):
    """An error response of the API server. The message is the server's."""

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details

    @property
    def not_found(self) -> bool:
        """The object, its namespace or its kind does not exist."""
        return self.code == 404

    @property
    def already_exists(self) -> bool:
        """An object with that name already exists."""
        return self.reason == "AlreadyExists"

    @property
    def conflict(self) -> bool:
        """Another field manager owns a field, or the object has changed in the meantime."""
        return self.reason == "Conflict"

    @property
    def invalid(self) -> bool:
        """The object fails the server's validation."""
        return self.reason == "Invalid"

    @property
    def forbidden(self) -> bool:
        """Authorization, an admission policy or a quota rejects the request."""
        return self.reason == "Forbidden"


class Unreachable(Exception):
    """There is no cluster configuration, or the API server does not respond."""


class ApiClient:
    """A connection to one cluster. Safe to use from several threads.

    `default_namespace` is the namespace of objects that have none. `kubeconfig` is a file for command-line tools, or
    None for the ambient configuration. `context` belongs to it. Raises Unreachable for a kubeconfig that is not usable,
    and ProviderError for files and credentials in it that are not.
    """

    def __init__(self, settings: ProviderConfig) -> None:
        program = shutil.which(PROGRAM)
        if program is None:
            raise ProviderError(f"{PROGRAM} is not on PATH; the stand-in kubernetes plugin reaches the cluster with it")
        self.context = settings.context
        self.kubeconfig: Path | None = None
        if settings.kubeconfig or settings.cluster:
            self._folder = tempfile.TemporaryDirectory(prefix="pulumi-kubernetes-")
            self.kubeconfig = Path(self._folder.name) / "kubeconfig"
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._ended = False
        self._send(
            {
                "kubeconfig": settings.kubeconfig,
                "context": settings.context,
                "cluster": settings.cluster,
                "namespace": settings.namespace,
                "timeoutSeconds": settings.client.get("timeout", 0),
                "copy": str(self.kubeconfig or ""),
            }
        )
        found = self._receive()
        if found is None or found.get("stage"):
            self.close()
            raise _unusable(found or {"stage": "load", "error": f"{PROGRAM} ended"})
        self.default_namespace: str = found["namespace"] or "default"
        threading.Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        """Ends the connection."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """Sends one request and returns the object. Raises ApiError or Unreachable."""
        answered: Future[dict[str, Any]] = Future()
        number = next(self._numbers)
        document: dict[str, Any] = {"id": number, "method": method, "path": path, "query": dict(query or {})}
        if body is not None:
            document.update({"body": body, "contentType": content_type})
        with self._lock:
            # The ending process still takes a request, but its answer would never be read.
            if self._ended:
                raise Unreachable(f"{PROGRAM} ended")
            self._waiting[number] = answered
            self._send(document)
        answer = answered.result()
        if "error" in answer:
            raise Unreachable(answer["error"])
        if "status" in answer:
            raise _api_error(answer["status"])
        return dict(answer.get("object") or {})

    def wait_for_change(self, path: str, version: str) -> None:
        """Watches one object and returns when it is no longer at this resourceVersion.

        Raises ApiError or Unreachable.
        """
        collection, _, name = path.rpartition("/")
        query = {"watch": "true", "fieldSelector": f"metadata.name={name}", "resourceVersion": version}
        # If the version is too old to watch from, an event says so, and the object has changed.
        self.request("GET", collection, query=query)

    def _send(self, document: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(document).encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise Unreachable(f"{PROGRAM} ended") from None

    def _receive(self) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return dict(json.loads(line)) if line else None

    def _read(self) -> None:
        while (answer := self._receive()) is not None:
            self._waiting.pop(answer["id"]).set_result(answer)
        with self._lock:
            self._ended = True
        while self._waiting:
            self._waiting.popitem()[1].set_result({"error": f"{PROGRAM} ended"})


def _api_error(status: Mapping[str, Any]) -> ApiError:
    return ApiError(
        int(status.get("code", 0)),
        str(status.get("reason", "")),
        str(status.get("message", "")),
        status.get("details") or {},
    )


def _unusable(found: Mapping[str, str]) -> Exception:
    if found["stage"] == "connect":
        return ProviderError(f"failed to initialize discovery client: {found['error']}")
    if found["stage"] == "parse":
        return Unreachable(f"failed to parse kubeconfig data in `kubernetes:config:kubeconfig`- {found['error']}")
    return Unreachable(
        "unable to load Kubernetes client configuration from kubeconfig file. Make sure you have set up the provider "
        "as per https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ "
        f"({found['error']})"
    )
