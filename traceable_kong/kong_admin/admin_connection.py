"""Connections to Kong's Admin API: to a URL, or by a port-forward into a pod.

The port-forward ends inside the pod, where the Admin API listens on localhost, so that it needs no Service (kong chart
3.4.1). Its certificate there is self-signed and is not verified: the connection goes through the API server.
"""

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from traceable_kong.cluster.kong_listen import ADMIN_LISTEN, ADMIN_LISTEN_DEFAULT, Listener, listeners
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.pods import variables
from traceable_kong.common.safe_text import kind_of
from traceable_kong.common.tls import tls_context
from traceable_kong.kong_admin.admin_errors import AdminError, Unavailable

Connect = Callable[[float], http.client.HTTPConnection]
"""Opens a connection whose operations time out after so many seconds. Raises AdminError, ApiError or Unreachable."""


@dataclass(frozen=True, kw_only=True)
class Tls:
    """How the server is verified, and the certificate that it is shown.

    `ca` is a PEM; None means the authorities of the system. `verify` False accepts every certificate. `certificate` is
    a PEM of certificate and key.
    """

    ca: str | None = None
    verify: bool = True
    certificate: str | None = field(default=None, repr=False)

    def context(self) -> ssl.SSLContext:
        """Raises AdminError for a PEM that cannot be used."""
        try:
            return tls_context(ca=self.ca, verify=self.verify, certificate=self.certificate)
        except (ssl.SSLError, ValueError) as problem:
            raise AdminError(f"A certificate for the Admin API cannot be used: {kind_of(problem)}") from None


class _ForwardedConnection(http.client.HTTPConnection):
    """HTTP over a socket that is open already."""

    def __init__(self, channel: socket.socket, port: int, tls: ssl.SSLContext | None, timeout_seconds: float) -> None:
        super().__init__("localhost", port, timeout=timeout_seconds)
        self._channel = channel
        self._tls = tls

    def connect(self) -> None:
        self._channel.settimeout(self.timeout)
        self.sock = self._channel
        if self._tls:
            self.sock = self._tls.wrap_socket(self._channel, server_hostname="localhost")

    def close(self) -> None:
        super().close()
        # TLS closes the channel itself; without TLS, or before the first request, it is still open.
        self._channel.close()


def port_forward(
    api: KubernetesClient, namespace: str, pod: str, listener: Listener, *, certificate: str | None = None
) -> Connect:
    """Connects to a port inside a pod."""

    def connect(timeout_seconds: float) -> http.client.HTTPConnection:
        context = Tls(verify=False, certificate=certificate).context() if listener.tls else None
        channel = api.forward(namespace, pod, listener.port)
        return _ForwardedConnection(channel, listener.port, context, timeout_seconds)

    return connect


def to_url(url: str, tls: Tls) -> Connect:
    """Connects to the host of an http or https URL; the caller adds the path."""
    parts = urlsplit(url)
    host = parts.hostname or ""

    def connect(timeout_seconds: float) -> http.client.HTTPConnection:
        # The port of a URL is only read here: it raises ValueError if it is none.
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, parts.port, timeout=timeout_seconds, context=tls.context())
        return http.client.HTTPConnection(host, parts.port, timeout=timeout_seconds)

    return connect


def admin_listener(container: Mapping[str, Any]) -> Listener:
    """The port of the Admin API in Kong's container, by its variables. Raises Unavailable where there is none."""
    value = variables(container).get(ADMIN_LISTEN, ADMIN_LISTEN_DEFAULT)
    if value is None:
        raise Unavailable(
            f"{ADMIN_LISTEN} comes from another object (valueFrom), so the port of the Admin API cannot be determined"
        )
    found = listeners(value)
    if not found:
        raise Unavailable(f"{ADMIN_LISTEN} is {value!r}, which gives the Admin API no port to connect to")
    return found[0]
