"""A client for a Kubernetes API server, with the credentials of a kubeconfig.

The official Python client is used for authentication and connections only: its typed models would drop unknown fields.
"""

import json
import tempfile
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
import yaml
from kubernetes import client as kubernetes_client
from kubernetes import config as kubernetes_config
from kubernetes.config.config_exception import ConfigException

from local.provider.kubernetes.provider_config import ProviderConfig

REQUEST_TIMEOUT_SECONDS = 60
CONNECTIONS = 32

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
    None for the ambient configuration. `context` belongs to it.
    """

    def __init__(self, settings: ProviderConfig) -> None:
        self.kubeconfig: Path | None = None
        self.context = settings.context
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        configuration = kubernetes_client.Configuration()
        self.default_namespace = self._load(settings, configuration)
        configuration.connection_pool_maxsize = CONNECTIONS
        self._client = kubernetes_client.ApiClient(configuration)
        self._pool = self._client.rest_client.pool_manager
        self._host = str(configuration.host)
        self._login = threading.Lock()
        self._timeout = settings.client.get("timeout", REQUEST_TIMEOUT_SECONDS)

    def _load(self, settings: ProviderConfig, configuration: Any) -> str:
        try:
            document = _document(settings.kubeconfig)
            if document is None:
                return self._load_ambient(settings, configuration)
            document = _overridden(document, settings)
            kubernetes_config.load_kube_config_from_dict(
                document, context=settings.context or None, client_configuration=configuration
            )
            self._folder = tempfile.TemporaryDirectory(prefix="pulumi-kubernetes-")
            self.kubeconfig = Path(self._folder.name) / "kubeconfig"
            self.kubeconfig.touch(mode=0o600)
            self.kubeconfig.write_text(yaml.safe_dump(document))
            return settings.namespace or _namespace(document, settings.context) or "default"
        except (ConfigException, OSError, yaml.YAMLError, TypeError, ValueError, KeyError) as problem:
            raise Unreachable(
                f"failed to parse kubeconfig data in `kubernetes:config:kubeconfig`- {problem}"
                if settings.kubeconfig
                else "unable to load Kubernetes client configuration from kubeconfig file. Make sure you have set up "
                "the provider as per https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ "
                f"({problem})"
            ) from None

    def _load_ambient(self, settings: ProviderConfig, configuration: Any) -> str:
        if settings.cluster:
            raise ConfigException("'cluster' needs a 'kubeconfig' in the stand-in plugin")
        try:
            contexts, active = kubernetes_config.list_kube_config_contexts()
            kubernetes_config.load_kube_config(
                context=settings.context or None, client_configuration=configuration, persist_config=False
            )
        except ConfigException:
            if settings.context:
                raise
            kubernetes_config.load_incluster_config(client_configuration=configuration)
            return settings.namespace or "default"
        if settings.context:
            active = next(each for each in contexts if each["name"] == settings.context)
        return settings.namespace or str(active["context"].get("namespace") or "default")

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
        headers: dict[str, str] = {"Accept": "application/json", "User-Agent": "pulumi-kubernetes-stand-in"}
        parameters: list[tuple[str, str]] = list((query or {}).items())
        with self._login:
            self._client.update_params_for_auth(headers, parameters, ["BearerToken"], path, method, body)
        if body is not None:
            headers["Content-Type"] = content_type
        target = self._host + path + ("?" + urlencode(parameters) if parameters else "")
        try:
            answer = self._pool.request(
                method,
                target,
                body=None if body is None else json.dumps(body),
                headers=headers,
                timeout=urllib3.Timeout(connect=10, read=self._timeout),
                retries=urllib3.Retry(total=2, connect=2, read=0, redirect=0, status=0, other=0, allowed_methods=None),
            )
        except urllib3.exceptions.HTTPError as problem:
            reason = getattr(problem, "reason", None) or problem
            raise Unreachable(f'{method.capitalize()} "{self._host}{path}": {reason}') from None
        return _answer(answer.status, answer.data)

    def wait_for_change(self, path: str, version: str) -> None:
        """Watches one object and returns when it is no longer at this resourceVersion.

        Raises ApiError or Unreachable.
        """
        collection, _, name = path.rpartition("/")
        headers: dict[str, str] = {"Accept": "application/json", "User-Agent": "pulumi-kubernetes-stand-in"}
        parameters = [("watch", "true"), ("fieldSelector", f"metadata.name={name}"), ("resourceVersion", version)]
        with self._login:
            self._client.update_params_for_auth(headers, parameters, ["BearerToken"], collection, "GET", None)
        try:
            with closing(
                self._pool.request(
                    "GET",
                    f"{self._host}{collection}?{urlencode(parameters)}",
                    headers=headers,
                    timeout=urllib3.Timeout(connect=10, read=None),
                    retries=False,
                    preload_content=False,
                )
            ) as answer:
                # If the version is too old to watch from, an event says so, and the object has changed.
                if answer.status >= 400:
                    _answer(answer.status, answer.data)
                answer.read(1)
        except urllib3.exceptions.HTTPError as problem:
            raise Unreachable(f'Watch "{self._host}{path}": {problem}') from None


def _answer(status: int, data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data) if data else {}
    except ValueError:
        document = {}
    if status < 400:
        return document if isinstance(document, dict) else {}
    if not isinstance(document, dict):
        document = {}
    message = document.get("message") or data.decode(errors="replace")[:500] or f"HTTP status {status}"
    reason = document.get("reason") or {404: "NotFound", 403: "Forbidden"}.get(status, "")
    raise ApiError(status, str(reason), str(message), document.get("details") or {})


def _document(kubeconfig: str) -> dict[str, Any] | None:
    """Reads a kubeconfig that is given as a path or as contents. Returns None if there is none."""
    if not kubeconfig:
        return None
    text = kubeconfig
    if "\n" not in kubeconfig and "{" not in kubeconfig:
        path = Path(kubeconfig).expanduser()
        if path.exists():
            text = path.read_text()
    document = yaml.safe_load(text)
    if not isinstance(document, dict):
        raise ValueError("it is neither a file nor the contents of a kubeconfig")
    return document


def _overridden(document: dict[str, Any], settings: ProviderConfig) -> dict[str, Any]:
    if settings.context:
        document["current-context"] = settings.context
    if settings.cluster:
        for each in document.get("contexts") or []:
            if each["name"] == document.get("current-context"):
                each["context"]["cluster"] = settings.cluster
    return document


def _namespace(document: Mapping[str, Any], context: str) -> str:
    name = context or document.get("current-context")
    for each in document.get("contexts") or []:
        if each["name"] == name:
            return str(each["context"].get("namespace") or "")
    return ""
