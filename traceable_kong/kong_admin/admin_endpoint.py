"""Where this stack asks Kong's Admin API, and with whose credentials.

The stack and its state know names only: what stands in a Secret is read from Kong's namespace each time that something
is asked. Knows no Pulumi.
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
from traceable_kong.cluster.pods import is_leaving, is_ready, selector_text
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.kong_admin.admin_client import DEADLINE_SECONDS, DEFAULT_WORKSPACE, Client
from traceable_kong.kong_admin.admin_connection import Connect, Tls, forwarded, to_url
from traceable_kong.kong_admin.admin_listen import AdminError, Unavailable, admin_listener

CERTIFICATE_KEYS = ("tls.crt", "tls.key")
"""Of a Secret of the type kubernetes.io/tls."""


class NoGateway(AdminError):
    """The Deployment is not there, so there is nobody to ask."""


class SecretMissing(AdminError):
    """A Secret that is named is not there, or lacks what is to be in it."""


@dataclass(frozen=True, kw_only=True)
class AdminEndpoint:
    """How the Admin API of one gateway is reached.

    `url` None is a port-forward into a ready pod of `deployment`. The Secrets are in Kong's namespace;
    `client_certificate_secret` has the type kubernetes.io/tls. `insecure` True skips the check of the
    URL's certificate.
    """

    deployment: KongDeployment
    url: str | None = None
    workspace: str = DEFAULT_WORKSPACE
    token_secret: SecretKey | None = None
    ca_secret: SecretKey | None = None
    client_certificate_secret: str | None = None
    insecure: bool = False

    @property
    def shows_secrets(self) -> bool:
        """Whether anything from a Secret is needed."""
        return bool(self.token_secret or self.ca_secret or self.client_certificate_secret)

    @property
    def where(self) -> str:
        """How errors name it."""
        return f"Kong's Admin API ({self.url or f'by a port-forward into {self.deployment}'})"

    def document(self) -> dict[str, Any]:
        """As plain data: names only, so that it can stand in a state and in a record."""
        return {
            "namespace": self.deployment.namespace,
            "deployment": self.deployment.name,
            "container": self.deployment.container,
            "url": self.url or "",
            "workspace": self.workspace,
            "tokenSecret": _named(self.token_secret),
            "caSecret": _named(self.ca_secret),
            "clientCertificateSecret": self.client_certificate_secret or "",
            "insecure": self.insecure,
        }


def endpoint_of(document: Mapping[str, Any]) -> AdminEndpoint:
    """The same from what `document()` gave. Raises KeyError, TypeError or ValueError."""
    return AdminEndpoint(
        deployment=KongDeployment(
            namespace=str(document["namespace"]),
            name=str(document["deployment"]),
            container=str(document["container"]),
        ),
        url=str(document["url"]) or None,
        workspace=str(document["workspace"]),
        token_secret=_key(str(document["tokenSecret"])),
        ca_secret=_key(str(document["caSecret"])),
        client_certificate_secret=str(document["clientCertificateSecret"]) or None,
        insecure=bool(document["insecure"]),
    )


def _named(secret: SecretKey | None) -> str:
    # Neither can have a slash.
    return f"{secret.name}/{secret.key}" if secret else ""


def _key(text: str) -> SecretKey | None:
    if not text:
        return None
    name, key = text.split("/")
    return SecretKey(name=name, key=key)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What stands in the Secrets: `certificate` is a PEM of certificate and key, `ca` one of authorities."""

    token: str | None = field(default=None, repr=False)
    ca: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)


def credentials(api: KubernetesClient, access: AdminEndpoint) -> Credentials:
    """Read from Kong's namespace. Raises SecretMissing, kube.ApiError or kube.Unreachable."""
    token, ca, certificate = access.token_secret, access.ca_secret, access.client_certificate_secret
    pem = [_read(api, access, certificate, key) for key in CERTIFICATE_KEYS] if certificate else []
    return Credentials(
        token=_token(api, access, token) if token else None,
        ca=_read(api, access, ca.name, ca.key) if ca else None,
        certificate="\n".join(pem) if pem else None,
    )


def _token(api: KubernetesClient, access: AdminEndpoint, secret: SecretKey) -> str:
    # A file's last line break is no part of it.
    token = _read(api, access, secret.name, secret.key).strip()
    if not (token.isascii() and token.isprintable()):
        raise SecretMissing(
            f"The Secret {access.deployment.namespace}/{secret.name} has at {secret.key} what cannot be sent as a "
            "header: it is no Kong-Admin-Token."
        )
    return token


def _read(api: KubernetesClient, access: AdminEndpoint, name: str, key: str) -> str:
    found = api.get(f"{access.deployment.secrets_path}/{name}")
    if found is None:
        raise SecretMissing(f"There is no Secret {access.deployment.namespace}/{name}, which kong.admin names.")
    value = (found.get("data") or {}).get(key)
    try:
        text = base64.b64decode(value or "").decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    if not text.strip():
        raise SecretMissing(
            f"The Secret {access.deployment.namespace}/{name}, which kong.admin names, has no text at {key}."
        )
    return text


def client(api: KubernetesClient, access: AdminEndpoint, *, deadline_seconds: float = DEADLINE_SECONDS) -> Client:
    """Raises SecretMissing, kube.ApiError or kube.Unreachable."""
    known = credentials(api, access)
    base = ""
    if access.url:
        tls = Tls(ca=known.ca, check=not access.insecure, certificate=known.certificate)
        connect, base = to_url(access.url, tls), urlsplit(access.url).path
    else:
        connect = _into_a_ready_pod(api, access, known)
    return Client(
        connect,
        what=access.where,
        base=base,
        token=known.token,
        workspace=access.workspace,
        deadline_seconds=deadline_seconds,
    )


def gateway_stands(api: KubernetesClient, access: AdminEndpoint) -> bool:
    """Whether the Deployment is there, however Kong is asked. Raises kube.ApiError or kube.Unreachable."""
    return _deployment(api, access) is not None


def _deployment(api: KubernetesClient, access: AdminEndpoint) -> Document | None:
    return api.get(access.deployment.path)


def _into_a_ready_pod(api: KubernetesClient, access: AdminEndpoint, known: Credentials) -> Connect:
    """Each connection into another of the ready pods: the one that just broke may be on its way out."""
    attempts = count()

    def connect(timeout_seconds: float) -> http.client.HTTPConnection:
        pods = _ready_pods(api, access)
        pod = pods[next(attempts) % len(pods)]
        container = next(
            (item for item in pod["spec"]["containers"] if item["name"] == access.deployment.container), None
        )
        if container is None:
            raise Unavailable(
                f"{access.where}: the pod {pod['metadata']['name']} has no container {access.deployment.container}"
            )
        listener = admin_listener(container)
        name = pod["metadata"]["name"]
        into = forwarded(api, access.deployment.namespace, name, listener, certificate=known.certificate)
        try:
            return into(timeout_seconds)
        except (ApiError, Unreachable) as problem:
            raise Unavailable(f"{access.where} cannot be reached: {problem}") from None

    return connect


def _ready_pods(api: KubernetesClient, access: AdminEndpoint) -> list[Document]:
    where = access.deployment
    try:
        found = _deployment(api, access)
        if found is None:
            raise NoGateway(f"There is no Deployment {where}, into whose pods a port-forward could go.")
        selector = selector_text(found["spec"]["selector"])
        pods = api.list(access.deployment.pods_path, labelSelector=selector)
    except (ApiError, Unreachable) as problem:
        raise Unavailable(f"{access.where} cannot be reached: {problem}") from None
    ready = [pod for pod in pods if is_ready(pod) and not is_leaving(pod)]
    if not ready:
        raise Unavailable(f"No pod of {where} is ready, so Kong's Admin API cannot be reached.")
    return ready
