"""Where smoke requests are sent: a URL, or Kong's proxy port in each serving gateway pod."""

import http.client
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from traceable_kong.cluster.api_connection import ApiAddress, ApiConnection
from traceable_kong.cluster.kong_listen import PROXY_LISTEN, PROXY_LISTEN_DEFAULT, Listener, listeners
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.pods import container_of, selector_text, serves, variables
from traceable_kong.cluster.proxies import proxy_of
from traceable_kong.common.tls import tls_context
from traceable_kong.kong_admin.admin_connection import port_forward
from traceable_kong.plan.model import DesiredState

Connect = Callable[[float], http.client.HTTPConnection]
"""Opens a connection, whose operations time out after so many seconds."""


@dataclass(frozen=True, kw_only=True)
class SmokeTarget:
    """A server. `connect` is the reason where it is known that there is none; `is_pod` is False for a URL."""

    server: str
    connect: Connect | str
    is_pod: bool


def url_target(url: str, *, insecure: bool) -> SmokeTarget:
    """The server of a URL, through the proxy that the environment names."""
    parts = urlsplit(url)
    is_https = parts.scheme == "https"

    def connect(_: float) -> http.client.HTTPConnection:
        tls = tls_context(verify=not insecure) if is_https else None
        return ApiConnection(ApiAddress(url=url, proxy=proxy_of(url), verify=not insecure), tls)

    return SmokeTarget(server=f"{parts.scheme}://{parts.netloc}", connect=connect, is_pod=False)


def pod_targets(api: KubernetesClient, desired: DesiredState, *, tls: bool) -> list[SmokeTarget]:
    """Every serving gateway pod. Raises ApiError or Unreachable."""
    deployment = api.get(desired.deployment.path)
    selector = selector_text(deployment["spec"]["selector"]) if deployment else ""
    pods = api.list(desired.deployment.pods_path, labelSelector=selector) if deployment else []
    found = [_pod_target(api, desired, pod, tls=tls) for pod in pods if serves(pod)]
    found.sort(key=lambda item: item.server)
    return found or [SmokeTarget(server=str(desired.deployment), connect="no pod of it serves", is_pod=True)]


def _pod_target(api: KubernetesClient, desired: DesiredState, pod: Mapping[str, Any], *, tls: bool) -> SmokeTarget:
    name = str(pod["metadata"]["name"])
    container = container_of(pod["spec"], desired.deployment.container)
    if container is None:
        return SmokeTarget(server=name, connect=f"no container {desired.deployment.container!r}", is_pod=True)
    value = variables(container).get(PROXY_LISTEN, PROXY_LISTEN_DEFAULT)
    listener = next(_listeners(value, tls=tls), None)
    if listener is None:
        kind = "with TLS" if tls else "without TLS (--smoke-tls uses one with TLS)"
        return SmokeTarget(server=name, connect=f"{PROXY_LISTEN} gives Kong no port {kind}", is_pod=True)
    return SmokeTarget(
        server=name, connect=port_forward(api, desired.deployment.namespace, name, listener), is_pod=True
    )


def _listeners(value: str | None, *, tls: bool) -> Iterator[Listener]:
    """Those of the wanted kind; none where the value comes from another object."""
    yield from (item for item in listeners(value or "") if item.tls == tls)
