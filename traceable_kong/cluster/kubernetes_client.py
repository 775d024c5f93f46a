"""A client of the Kubernetes API server: plain documents in and out, and port-forwards into pods.

Several threads may share a client. No answer of a server makes a request last longer, or use more memory, than the
limits here.
"""

import http.client
import json
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from traceable_kong.cluster.api_connection import SIZE_LIMIT, ApiAddress, ApiConnection, failure
from traceable_kong.cluster.api_response import ApiError, ApiResponse, Document, Unreachable, document_of, not_the_api
from traceable_kong.cluster.kubeconfig_model import KubeconfigError
from traceable_kong.cluster.list_pages import ListPages
from traceable_kong.cluster.login import Credentials, Login
from traceable_kong.cluster.port_forward import HandshakeRefused, open_port
from traceable_kong.common.http_exchange import HttpResponse, TooLong, exchange
from traceable_kong.common.safe_text import printable
from traceable_kong.common.tls import tls_context
from traceable_kong.common.urls import without_credentials
from traceable_kong.common.waiting import NotYet, wait_until

__all__ = ["ApiError", "ApiResponse", "Document", "KubernetesClient", "Unreachable"]

REQUEST_SECONDS = 20.0
"""For a request, with everything that belongs to it: connecting, repeating it, and reading the answer."""

LIST_SECONDS = 60.0
"""For all pages of a list."""

CONNECTIONS = 32
PAGE = 250

MERGE_PATCH = "application/merge-patch+json"

METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches."""


class KubernetesClient:
    """A client of the API server at `address`; `server_url` is that without a password.

    `request_seconds` is how long a request may take, unless it says otherwise.
    """

    def __init__(self, address: ApiAddress, login: Login, request_seconds: float = REQUEST_SECONDS) -> None:
        self._request_seconds = request_seconds
        self.address = address
        self._login = login
        self._base = urlsplit(address.url).path.rstrip("/")
        self._idle: list[tuple[str | None, ApiConnection]] = []
        self.server_url = printable(without_credentials(address.url))

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        seconds: float | None = None,
    ) -> ApiResponse:
        """Sends one request, and repeats it where the server says that it was not able to do it at the moment.

        Raises ApiError or Unreachable, at the latest after `seconds` (those of the client by default).
        """
        seconds = self._request_seconds if seconds is None else seconds
        deadline = time.monotonic() + seconds
        headers = [("Accept", accept), ("User-Agent", "traceable-kong")]
        if body is not None:
            headers.append(("Content-Type", content_type))
        target = self._base + path + ("?" + urlencode(query) if query else "")
        content = None if body is None else json.dumps(body)

        def attempt(_: float) -> ApiResponse | NotYet:
            try:
                return document_of(self._send(method, target, headers, content, deadline))
            except ApiError as problem:
                if problem.retry_seconds is None:
                    raise
                last = problem
                return NotYet(lambda: last, pause_seconds=problem.retry_seconds)

        return wait_until(attempt, seconds=seconds)

    def _send(
        self, method: str, target: str, headers: list[tuple[str, str]], content: str | None, deadline: float
    ) -> HttpResponse:
        credentials = self._credentials()
        while True:
            connection, is_new = self._connection(credentials)
            seconds = deadline - time.monotonic()
            try:
                response = exchange(
                    connection,
                    method,
                    target,
                    body=content,
                    headers=[*headers, *credentials.headers],
                    seconds=max(0.001, seconds),
                    limit=SIZE_LIMIT,
                )
            except (OSError, http.client.HTTPException, ValueError, TooLong) as problem:
                with suppress(OSError):
                    connection.close()
                # The server may close an idle connection at any time.
                if not is_new and method == "GET" and isinstance(problem, ConnectionError):
                    continue
                raise Unreachable(f"{self.server_url}: {failure(problem, seconds)}") from None
            if connection.sock is not None and len(self._idle) < CONNECTIONS:
                self._idle.append((credentials.certificate, connection))
            if response.status == 401:
                self._login.rejected()
            return response

    def _credentials(self) -> Credentials:
        try:
            return self._login.credentials()
        except KubeconfigError as problem:
            raise Unreachable(f"the login of the kubeconfig failed: {problem}") from None

    def _connection(self, credentials: Credentials) -> tuple[ApiConnection, bool]:
        """A connection with this client certificate, and whether it is new."""
        while self._idle:
            try:
                certificate, connection = self._idle.pop()
            except IndexError:
                break
            if certificate == credentials.certificate and connection.is_open:
                return connection, False
            connection.close()
        return self._new_connection(credentials), True

    def _new_connection(self, credentials: Credentials) -> ApiConnection:
        try:
            tls = None
            if self.address.url.startswith("https"):
                tls = tls_context(ca=self.address.ca, verify=self.address.verify, certificate=credentials.certificate)
            return ApiConnection(self.address, tls)
        except (OSError, ValueError):
            raise Unreachable("the certificates of the kubeconfig, or of its login, cannot be used") from None

    def get(self, path: str) -> ApiResponse | None:
        """One object; None where it or its kind does not exist. Raises ApiError or Unreachable."""
        try:
            found = self.request("GET", path)
        except ApiError as problem:
            if problem.status == 404:
                return None
            raise
        # What an API server lists of its kinds (`/apis/GROUP/VERSION`) has no metadata.
        has = "resources" if found.get("kind") == "APIResourceList" else "metadata"
        if not (
            isinstance(found.get("kind"), str) and isinstance(found.get(has), list if has == "resources" else dict)
        ):
            raise not_the_api("JSON that is no object of Kubernetes")
        return found

    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[Document]:
        """All objects below a path; none where the kind does not exist.

        `metadata_only` requests no spec and no data; `selectors` are query parameters such as `labelSelector`.
        Raises ApiError or Unreachable.
        """
        pages = ListPages()
        limit = max(LIST_SECONDS, self._request_seconds)
        deadline = time.monotonic() + limit
        while True:
            query = {"limit": str(PAGE), **selectors, **({"continue": pages.token} if pages.token else {})}
            try:
                page = self.request(
                    "GET",
                    path,
                    query=query,
                    accept=METADATA_ONLY if metadata_only else "application/json",
                    seconds=min(self._request_seconds, deadline - time.monotonic()),
                )
            except ApiError as problem:
                if problem.status == 404:
                    return []
                if problem.status == 410 and pages.restart():
                    continue
                raise
            if pages.is_last(page):
                return pages.items
            if time.monotonic() > deadline:
                raise Unreachable(f"{self.server_url}: no complete list within {limit:.0f} s")

    def server_time(self) -> datetime:
        """The clock of the API server, which its objects are dated by. Raises ApiError or Unreachable."""
        return self.request("GET", "/version").date

    def allowed(self, verb: str, resource: str, *, group: str = "", namespace: str = "", subresource: str = "") -> bool:
        """Whether the user of the kubeconfig may, by SelfSubjectAccessReview. Raises ApiError or Unreachable."""
        attributes = {"verb": verb, "resource": resource, "group": group}
        if namespace:
            attributes["namespace"] = namespace
        if subresource:
            attributes["subresource"] = subresource
        review = self.request(
            "POST",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            body={
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            },
        )
        return bool((review.get("status") or {}).get("allowed"))

    def account_allowed(self, namespace: str, account: str, verb: str, resource: str, *, group: str = "") -> bool:
        """Whether a service account may, in the whole cluster, by SubjectAccessReview. Raises ApiError or Unreachable.

        Its groups are those that the API server gives it
        (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens).
        """
        review = self.request(
            "POST",
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            body={
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SubjectAccessReview",
                "spec": {
                    "user": f"system:serviceaccount:{namespace}:{account}",
                    "groups": [
                        "system:serviceaccounts",
                        f"system:serviceaccounts:{namespace}",
                        "system:authenticated",
                    ],
                    "resourceAttributes": {"verb": verb, "resource": resource, "group": group},
                },
            },
        )
        return bool((review.get("status") or {}).get("allowed"))

    def forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        """Opens a socket to a port in a pod. Raises ApiError or Unreachable.

        Where nothing listens on the port, only the use of the socket fails.
        """
        if not 0 < port < 65536:
            raise ApiError(400, "BadRequest", f"port-forward to {namespace}/{pod}:{port}: there is no such port")
        credentials = self._credentials()
        connection = self._new_connection(credentials)
        path = f"{self._base}/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/portforward?ports={port}"
        try:
            return open_port(connection, path, credentials.headers, port=port, seconds=self._request_seconds)
        except HandshakeRefused as problem:
            reason = http.client.responses.get(problem.status, "no connection")
            text = f"port-forward to {namespace}/{pod}:{port}: {reason}"
            raise ApiError(problem.status, reason, text) from None
        except (OSError, ValueError) as problem:
            raise Unreachable(f"{self.server_url}: {failure(problem, self._request_seconds)}") from None
