"""Asks a Kubernetes API server, and reaches into pods: plain documents in, plain documents out.

The official Python client brings the login that a kubeconfig describes, the connection and the port-forward; its typed
models are left aside, because they lose what they do not know. Safe to use from several threads. Knows no Pulumi.
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
    """There is no such context, or nobody answers; the text says which."""


class ApiError(PlainError):
    """An answer that is no success; the text is the server's own message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class ApiResponse(Document):
    """What the server answered; `warnings` are the texts of its Warning headers (RFC 7234, admission policies).

    `date` is the server's own time of the answer, this machine's where it does not say.
    """

    warnings: tuple[str, ...] = ()
    date: datetime


class KubernetesClient:
    """A connection to one API server; `server_url` is its address, without a password that may be in it."""

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
        """One request. Raises ApiError or Unreachable."""
        headers: dict[str, str] = {"Accept": accept, "User-Agent": "traceable-kong"}
        parameters: list[tuple[str, str]] = list((query or {}).items())
        if body is not None:
            headers["Content-Type"] = content_type
        with self._login:
            try:
                self._client.update_params_for_auth(headers, parameters, ["BearerToken"], path, method, body)
            except Exception as problem:
                # A login that has to be renewed comes from a plugin or another server.
                raise Unreachable(f"the login of the kubeconfig cannot be renewed: {kind_of(problem)}") from None
        try:
            answer = self._pool.request(
                method,
                self._url + path + ("?" + urlencode(parameters) if parameters else ""),
                body=None if body is None else json.dumps(body),
                headers=headers,
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=REQUEST_TIMEOUT_SECONDS),
                retries=urllib3.Retry(total=2, connect=2, read=0, redirect=0, status=0, other=0, allowed_methods=None),
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
            raise Unreachable(f"{self.server_url}: {_why(problem)}") from None
        return _answer(answer)

    def get(self, path: str) -> ApiResponse | None:
        """One object, None where it, or its kind, is not there. Raises ApiError or Unreachable."""
        try:
            return self.request("GET", path)
        except ApiError as problem:
            if problem.status == 404:
                return None
            raise

    def list(self, path: str, *, metadata_only: bool = False, **selectors: str) -> list[Document]:
        """All objects below a path; none where the kind is not there.

        `metadata_only` leaves their content on the server; `selectors` are query parameters such as `labelSelector`.
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
        """What time the API server has it: its objects carry that one. Raises ApiError or Unreachable."""
        return self.request("GET", "/version").date

    def allowed(self, verb: str, resource: str, *, group: str = "", namespace: str = "", subresource: str = "") -> bool:
        """Whether we may, by SelfSubjectAccessReview. Raises ApiError or Unreachable."""
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
        """A socket to a port in a pod. Raises ApiError or Unreachable.

        That nobody listens there is only seen when the socket is used.
        """
        # The library puts its own transport into the client while it connects, so each forward has a client of its own.
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
            # The library's text has the whole answer in it, or whatever else went wrong.
            said = re.match(r"Handshake status (\d{3})", str(problem.reason))
            status = int(said[1]) if said else problem.status or 0
            reason = http.client.responses.get(status, "no connection")
            raise ApiError(status, reason, f"port-forward to {namespace}/{pod}:{port}: {reason}") from None
        except (OSError, urllib3.exceptions.HTTPError, ValueError) as problem:
            raise Unreachable(f"{self.server_url}: {_why(problem)}") from None
        # A plain socket, which TLS can be put on: the library hands out a wrapper.
        return socket.socket(fileno=forwarded.socket(port).detach())


def _answer(answer: Any) -> ApiResponse:
    try:
        document = json.loads(answer.data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        if answer.status < 400:
            # Read as an empty document it would say that nothing exists.
            kind = str(answer.headers.get("Content-Type") or "no content type")
            raise ApiError(
                answer.status,
                "NotTheApi",
                f"HTTP {answer.status} without a JSON document ({printable(kind)[:80]}): this is not the answer of an "
                "API server, but perhaps the login page of a proxy in between",
            )
        document = {}
    if answer.status >= 400:
        message = document.get("message") or answer.data.decode(errors="replace")[:500] or f"HTTP {answer.status}"
        raise ApiError(answer.status, str(document.get("reason") or ""), str(message))
    result = ApiResponse(document)
    result.warnings = tuple(printable(_warning_text(value)) for value in answer.headers.getlist("Warning"))
    result.date = _date(answer.headers.get("Date"))
    return result


def _date(header: str | None) -> datetime:
    try:
        return parsedate_to_datetime(header or "")
    except ValueError:
        return datetime.now(UTC)


def _warning_text(header: str) -> str:
    """`299 - "text"` -> text."""
    return header.split('"', 1)[-1].rsplit('"', 1)[0].replace('\\"', '"')


def _why(problem: Exception) -> str:
    """Why there was no answer. The libraries' own texts can have the address of a proxy in them, or a header."""
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
