"""A client of the Kubernetes API server: plain documents in and out, and port-forwards into pods.

The official Python client provides the login of a kubeconfig, the connections and the port-forward. Its typed models
are not used, because they drop the fields that they do not know. Several threads may share a client.
"""

import http.client
import json
import re
import socket
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client
from kubernetes.stream import portforward

from traceable_kong.common.safe_text import PlainError, kind_of, printable
from traceable_kong.common.urls import without_credentials

Document = dict[str, Any]

CONNECT_TIMEOUT_SECONDS = 5
REQUEST_TIMEOUT_SECONDS = 20
CONNECTIONS = 32
PAGE = 500

MERGE_PATCH = "application/merge-patch+json"

METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches."""


class Unreachable(PlainError):
    """The API server cannot be reached, or the kubeconfig names none."""


class ApiError(PlainError):
    """The API server answered with an error; the text is its own message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class ApiResponse(Document):
    """The document of a response; `warnings` are the texts of its Warning headers (RFC 7234, admission policies).

    `date` is the server's own time, or this machine's where the response has none.
    """

    warnings: tuple[str, ...] = ()
    date: datetime


class KubernetesClient:
    """A client of one API server; `server_url` is its address without a password."""

    def __init__(self, configuration: Any) -> None:
        configuration.connection_pool_maxsize = CONNECTIONS
        self._configuration = configuration
        self._client = client.ApiClient(configuration)
        self._pool = self._client.rest_client.pool_manager
        self._login = threading.Lock()
        self._url = str(configuration.host)
        self.server_url = printable(without_credentials(self._url))

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> ApiResponse:
        """Sends one request. Raises ApiError or Unreachable."""
        headers: dict[str, str] = {"Accept": accept, "User-Agent": "traceable-kong"}
        parameters: list[tuple[str, str]] = list((query or {}).items())
        if body is not None:
            headers["Content-Type"] = content_type
        with self._login:
            try:
                self._client.update_params_for_auth(headers, parameters, ["BearerToken"], path, method, body)
            except Exception as problem:
                # An expired login is renewed by a plugin or by another server.
                raise Unreachable(f"the login of the kubeconfig cannot be renewed: {kind_of(problem)}") from None
        try:
            response = self._pool.request(
                method,
                self._url + path + ("?" + urlencode(parameters) if parameters else ""),
                body=None if body is None else json.dumps(body),
                headers=headers,
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=REQUEST_TIMEOUT_SECONDS),
                retries=urllib3.Retry(total=2, connect=2, read=0, redirect=0, status=0, other=0, allowed_methods=None),
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
            raise Unreachable(f"{self.server_url}: {_reason(problem)}") from None
        return _response(response)

    def get(self, path: str) -> ApiResponse | None:
        """One object; None where it or its kind does not exist. Raises ApiError or Unreachable."""
        try:
            return self.request("GET", path)
        except ApiError as problem:
            if problem.status == 404:
                return None
            raise

    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[Document]:
        """All objects below a path; none where the kind does not exist.

        `metadata_only` requests no spec and no data; `selectors` are query parameters such as `labelSelector`.
        Raises ApiError or Unreachable.
        """
        accept = METADATA_ONLY if metadata_only else "application/json"
        items: list[Document] = []
        query = {"limit": str(PAGE), **selectors}
        while True:
            try:
                page = self.request("GET", path, query=query, accept=accept)
            except ApiError as problem:
                if problem.status == 404:
                    return []
                raise
            items += page.get("items") or []
            if not (page.get("metadata") or {}).get("continue"):
                return items
            query["continue"] = page["metadata"]["continue"]

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
        # The library replaces the transport of its client while it connects, so each port-forward has its own client.
        api = client.CoreV1Api(client.ApiClient(self._configuration))
        try:
            forwarded = portforward(
                api.connect_get_namespaced_pod_portforward,
                pod,
                namespace,
                ports=str(port),
                _request_timeout=REQUEST_TIMEOUT_SECONDS,
            )
        except client.ApiException as problem:
            # The library's own text contains the whole response.
            said = re.match(r"Handshake status (\d{3})", str(problem.reason))
            status = int(said[1]) if said else problem.status or 0
            reason = http.client.responses.get(status, "no connection")
            raise ApiError(status, reason, f"port-forward to {namespace}/{pod}:{port}: {reason}") from None
        except (OSError, urllib3.exceptions.HTTPError, ValueError) as problem:
            raise Unreachable(f"{self.server_url}: {_reason(problem)}") from None
        # A plain socket, because TLS cannot use the wrapper of the library.
        return socket.socket(fileno=forwarded.socket(port).detach())


def _response(response: Any) -> ApiResponse:
    try:
        document = json.loads(response.data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        if response.status < 400:
            # As an empty document it would mean that nothing exists.
            kind = str(response.headers.get("Content-Type") or "no content type")
            raise ApiError(
                response.status,
                "NotTheApi",
                f"HTTP {response.status} without a JSON document ({printable(kind)[:80]}): this is not the response of "
                "an API server, but perhaps the login page of a proxy",
            )
        document = {}
    if response.status >= 400:
        message = document.get("message") or response.data.decode(errors="replace")[:500] or f"HTTP {response.status}"
        raise ApiError(response.status, str(document.get("reason") or ""), str(message))
    result = ApiResponse(document)
    result.warnings = tuple(printable(_warning_text(value)) for value in response.headers.getlist("Warning"))
    result.date = _date(response.headers.get("Date"))
    return result


def _date(header: str | None) -> datetime:
    try:
        return parsedate_to_datetime(header or "")
    except ValueError:
        return datetime.now(UTC)


def _warning_text(header: str) -> str:
    """`299 - "text"` -> text."""
    return header.split('"', 1)[-1].rsplit('"', 1)[0].replace('\\"', '"')


def _reason(problem: Exception) -> str:
    """Why there was no response, without the libraries' own texts: they can contain a proxy's address or a header."""
    while isinstance(problem, urllib3.exceptions.MaxRetryError) and problem.reason:
        problem = problem.reason
    if isinstance(problem, urllib3.exceptions.ProxyError):
        return "the proxy could not be used"
    if isinstance(problem, urllib3.exceptions.SSLError) and problem.args and isinstance(problem.args[0], Exception):
        return kind_of(problem.args[0])
    if isinstance(problem, urllib3.exceptions.NameResolutionError):
        return "the name of its host cannot be resolved"
    if isinstance(problem, urllib3.exceptions.NewConnectionError):
        cause = problem.__cause__
        return kind_of(cause) if isinstance(cause, OSError) else "no connection"
    if isinstance(problem, urllib3.exceptions.ConnectTimeoutError):
        return f"no connection within {CONNECT_TIMEOUT_SECONDS} s"
    if isinstance(problem, urllib3.exceptions.ReadTimeoutError):
        return f"no answer within {REQUEST_TIMEOUT_SECONDS} s"
    if isinstance(problem, ValueError) and not isinstance(problem, urllib3.exceptions.HTTPError | UnicodeError):
        return "the login of the kubeconfig cannot be sent (a line break in a token?)"
    return kind_of(problem)
