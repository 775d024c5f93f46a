"""The way to a Kong: a URL, or a port-forward into a pod.

Nothing is exposed for the forward: it ends inside the pod, where the Admin API listens on localhost (kong chart 3.4.1).
Its certificate there is self-signed and is not checked: the way is the API server's own connection.
"""

import http.client
import socket
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.common.safe_text import kind_of
from traceable_kong.kong_admin.admin_listen import AdminError, Listener

Connect = Callable[[float], http.client.HTTPConnection]
"""A connection of its own, whose every wait ends after so many seconds. Raises AdminError, kube.ApiError or
kube.Unreachable."""


@dataclass(frozen=True, kw_only=True)
class Tls:
    """How the other end is trusted, and what it is shown.

    `ca` is a PEM, the system's authorities where it is None; `check` False trusts anybody. `certificate` is a PEM of
    certificate and key.
    """

    ca: str | None = None
    check: bool = True
    certificate: str | None = field(default=None, repr=False)

    def context(self) -> ssl.SSLContext:
        """Raises AdminError where a PEM is none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            if not self.check:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            elif self.ca is None:
                context.load_default_certs()
            else:
                context.load_verify_locations(cadata=self.ca)
            if self.certificate is not None:
                _show(context, self.certificate)
        except (ssl.SSLError, ValueError) as problem:
            raise AdminError(f"A certificate for the Admin API cannot be used: {kind_of(problem)}") from None
        return context


def _show(context: ssl.SSLContext, certificate: str) -> None:
    """The library takes a path only: a file that nobody else can read, for as long as it is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "client.pem"
        path.touch(mode=0o600)
        path.write_text(certificate, encoding="utf-8")
        # Without a password it would ask the terminal for one.
        context.load_cert_chain(path, password="")


class _Forwarded(http.client.HTTPConnection):
    """HTTP over a socket that is there already."""

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
        # TLS takes the channel over; without it, and where nothing was asked yet, it is still ours.
        self._channel.close()


def forwarded(
    api: KubernetesClient, namespace: str, pod: str, listener: Listener, *, certificate: str | None = None
) -> Connect:
    """Into a pod."""

    def connect(timeout_seconds: float) -> http.client.HTTPConnection:
        context = Tls(check=False, certificate=certificate).context() if listener.tls else None
        return _Forwarded(api.forward(namespace, pod, listener.port), listener.port, context, timeout_seconds)

    return connect


def to_url(url: str, tls: Tls) -> Connect:
    """To an http or https URL; its path is the caller's."""
    parts = urlsplit(url)
    host = parts.hostname or ""

    def connect(timeout_seconds: float) -> http.client.HTTPConnection:
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, parts.port, timeout=timeout_seconds, context=tls.context())
        return http.client.HTTPConnection(host, parts.port, timeout=timeout_seconds)

    return connect
