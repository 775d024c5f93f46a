"""Where Kong's Admin API is, and with which credentials this stack uses it.

Stack and state only hold names: the values of Secrets are read from Kong's namespace for each use.
"""

import base64
import binascii
import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.cluster.kubernetes_client import ApiError, Document, KubernetesClient, Unreachable
from traceable_kong.cluster.pods import container_of, is_ready, is_terminating, selector_text
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.kong_admin.admin_client import DEADLINE_SECONDS, DEFAULT_WORKSPACE, AdminClient
from traceable_kong.kong_admin.admin_connection import Connect, Tls, admin_listener, port_forward, to_url
from traceable_kong.kong_admin.admin_errors import DeploymentMissing, SecretMissing, Unavailable

CERTIFICATE_KEYS = ("tls.crt", "tls.key")
"""The keys of a Secret of the type kubernetes.io/tls."""


@dataclass(frozen=True, kw_only=True)
class AdminEndpoint:
    """How the Admin API of one gateway is reached.

    `url` None is a port-forward into a ready pod of `deployment`. The Secrets are in Kong's namespace;
    `client_certificate_secret` has the type kubernetes.io/tls. `insecure` True skips the check of the URL's
    certificate.
    """

    deployment: KongDeployment
    url: str | None = None
    workspace: str = DEFAULT_WORKSPACE
    token_secret: SecretKey | None = None
    ca_secret: SecretKey | None = None
    client_certificate_secret: str | None = None
    insecure: bool = False

    @property
    def needs_secrets(self) -> bool:
        """True where a Secret must be read."""
        return bool(self.token_secret or self.ca_secret or self.client_certificate_secret)

    def __str__(self) -> str:
        return f"Kong's Admin API ({self.url or f'by a port-forward into {self.deployment}'})"

    def document(self) -> dict[str, Any]:
        """As plain data for the state and the record; it has the names of Secrets only."""
        return {
            "namespace": self.deployment.namespace,
            "deployment": self.deployment.name,
            "container": self.deployment.container,
            "url": self.url or "",
            "workspace": self.workspace,
            "tokenSecret": _key_text(self.token_secret),
            "caSecret": _key_text(self.ca_secret),
            "clientCertificateSecret": self.client_certificate_secret or "",
            "insecure": self.insecure,
        }


def endpoint_of(document: Mapping[str, Any]) -> AdminEndpoint:
    """Reads what `AdminEndpoint.document()` returned. Raises KeyError, TypeError or ValueError."""
    return AdminEndpoint(
        deployment=KongDeployment(
            namespace=str(document["namespace"]),
            name=str(document["deployment"]),
            container=str(document["container"]),
        ),
        url=str(document["url"]) or None,
        workspace=str(document["workspace"]),
        token_secret=_key_of(str(document["tokenSecret"])),
        ca_secret=_key_of(str(document["caSecret"])),
        client_certificate_secret=str(document["clientCertificateSecret"]) or None,
        insecure=bool(document["insecure"]),
    )


def _key_text(secret: SecretKey | None) -> str:
    # Neither part can contain a slash.
    return f"{secret.name}/{secret.key}" if secret else ""


def _key_of(text: str) -> SecretKey | None:
    if not text:
        return None
    name, key = text.split("/")
    return SecretKey(name=name, key=key)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Values of Secrets: `certificate` is a PEM of certificate and key, `ca` a PEM of authorities."""

    token: str | None = field(default=None, repr=False)
    ca: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)


def credentials(api: KubernetesClient, endpoint: AdminEndpoint) -> Credentials:
    """Reads the Secrets in Kong's namespace. Raises SecretMissing, ApiError or Unreachable."""
    token, ca, certificate = endpoint.token_secret, endpoint.ca_secret, endpoint.client_certificate_secret
    pem = [_read(api, endpoint, certificate, key) for key in CERTIFICATE_KEYS] if certificate else []
    return Credentials(
        token=_token(api, endpoint, token) if token else None,
        ca=_read(api, endpoint, ca.name, ca.key) if ca else None,
        certificate="\n".join(pem) if pem else None,
    )


def _token(api: KubernetesClient, endpoint: AdminEndpoint, secret: SecretKey) -> str:
    # The last line break of a file is not part of the token.
    token = _read(api, endpoint, secret.name, secret.key).strip()
    if not (token.isascii() and token.isprintable()):
        raise SecretMissing(
            f"{_secret(endpoint, secret.name)} has a value at {secret.key} that is not a Kong-Admin-Token: it cannot "
            "be sent as a header."
        )
    return token


def _read(api: KubernetesClient, endpoint: AdminEndpoint, name: str, key: str) -> str:
    found = api.get(f"{endpoint.deployment.secrets_path}/{name}")
    if found is None:
        raise SecretMissing(f"{_secret(endpoint, name)} does not exist.")
    value = (found.get("data") or {}).get(key)
    try:
        text = base64.b64decode(value or "").decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    if not text.strip():
        raise SecretMissing(f"{_secret(endpoint, name)} has no text at {key}.")
    return text


def _secret(endpoint: AdminEndpoint, name: str) -> str:
    return f"Secret {endpoint.deployment.namespace}/{name}, which kong.admin names,"


def client(
    api: KubernetesClient, endpoint: AdminEndpoint, *, deadline_seconds: float = DEADLINE_SECONDS
) -> AdminClient:
    """A client with the credentials of the endpoint. Raises SecretMissing, ApiError or Unreachable."""
    known = credentials(api, endpoint)
    base = ""
    if endpoint.url:
        tls = Tls(ca=known.ca, verify=not endpoint.insecure, certificate=known.certificate)
        connect, base = to_url(endpoint.url, tls), urlsplit(endpoint.url).path
    else:
        connect = _into_a_ready_pod(api, endpoint, known)
    return AdminClient(
        connect,
        name=str(endpoint),
        base=base,
        token=known.token,
        workspace=endpoint.workspace,
        deadline_seconds=deadline_seconds,
    )


def deployment_exists(api: KubernetesClient, endpoint: AdminEndpoint) -> bool:
    """True where Kong's Deployment exists, however the Admin API is reached. Raises ApiError or Unreachable."""
    return api.get(endpoint.deployment.path) is not None


def _into_a_ready_pod(api: KubernetesClient, endpoint: AdminEndpoint, known: Credentials) -> Connect:
    """Each connection goes into another ready pod: the pod of a broken one may be terminating."""
    attempts = count()

    def connect(timeout_seconds: float) -> http.client.HTTPConnection:
        pods = _ready_pods(api, endpoint)
        pod = pods[next(attempts) % len(pods)]
        name, kong = pod["metadata"]["name"], endpoint.deployment.container
        container = container_of(pod["spec"], kong)
        if container is None:
            raise Unavailable(f"{endpoint} cannot be reached: pod {name} has no container {kong}")
        listener = admin_listener(container)
        try:
            return port_forward(api, endpoint.deployment.namespace, name, listener, certificate=known.certificate)(
                timeout_seconds
            )
        except (ApiError, Unreachable) as problem:
            raise Unavailable(f"{endpoint} cannot be reached: {problem}") from None

    return connect


def _ready_pods(api: KubernetesClient, endpoint: AdminEndpoint) -> list[Document]:
    try:
        found = api.get(endpoint.deployment.path)
        if found is None:
            raise DeploymentMissing(f"Deployment {endpoint.deployment} does not exist, so there is no Admin API.")
        selector = selector_text(found["spec"]["selector"])
        pods = api.list(endpoint.deployment.pods_path, labelSelector=selector)
    except (ApiError, Unreachable) as problem:
        raise Unavailable(f"{endpoint} cannot be reached: {problem}") from None
    ready = [pod for pod in pods if is_ready(pod) and not is_terminating(pod)]
    if not ready:
        raise Unavailable(f"{endpoint} cannot be reached: no pod of deployment {endpoint.deployment} is ready")
    return ready
