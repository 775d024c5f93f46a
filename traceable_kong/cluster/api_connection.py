"""Connections to the API server as a kubeconfig describes them: direct, or through an HTTP or SOCKS5 proxy."""

import base64
import http.client
import select
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from traceable_kong.cluster.proxies import ProxyError, connect_by_socks, connection_to
from traceable_kong.common.http_exchange import TooLong
from traceable_kong.common.safe_text import kind_of

PROXY_ANSWER_LIMIT = 65536

SIZE_LIMIT = 16 * 1024 * 1024
"""Bytes of a response. A page of 250 pods has a fifth of that."""

CONNECT_SECONDS = 10.0
"""For each address of a host, as a limit below the one of the whole request."""


@dataclass(frozen=True, kw_only=True)
class ApiAddress:
    """Where the API server is.

    `url` is http or https, and a user in it is a part of the login. `proxy` is the URL of a proxy. `server_name` is
    the name in the certificate, None for the URL's host. `ca` is a PEM of authorities, None for those of the system;
    with `verify` False every certificate is accepted.
    """

    url: str
    proxy: str | None = field(default=None, repr=False)
    server_name: str | None = None
    ca: str | None = None
    verify: bool = True


class ApiConnection(http.client.HTTPConnection):
    """A connection to the API server. `tls` is None for a server without TLS."""

    def __init__(self, address: ApiAddress, tls: ssl.SSLContext | None) -> None:
        parts = urlsplit(address.url)
        super().__init__(parts.hostname or "", parts.port or (443 if tls else 80))
        self._proxy = urlsplit(address.proxy) if address.proxy else None
        self._server_name = address.server_name or self.host
        self._tls = tls

    @property
    def is_open(self) -> bool:
        """True if it can be used again: a server that closed it, or said something unasked, is heard of."""
        if self.sock is None or self.sock.fileno() < 0:
            return False
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        return not waiting.poll(0)

    def connect(self) -> None:
        """Raises OSError or ValueError."""
        seconds = min(CONNECT_SECONDS, self.timeout or CONNECT_SECONDS)
        self.sock = self._connected(seconds)
        if self._tls:
            self.sock = _with_tls(self.sock, self._tls, self._server_name)
        self.sock.settimeout(self.timeout)

    def _connected(self, seconds: float) -> Any:
        if self._proxy is None:
            return socket.create_connection((self.host, self.port), timeout=seconds)
        if self._proxy.scheme.startswith("socks"):
            return connect_by_socks(self._proxy, self.host, self.port, seconds)
        return _connect_by_http(self._proxy, self.host, self.port, seconds)


def _with_tls(sock: Any, tls: ssl.SSLContext, server_name: str) -> Any:
    try:
        if not isinstance(sock, ssl.SSLSocket):
            return tls.wrap_socket(sock, server_hostname=server_name)
        # Through a proxy that uses TLS itself. The standard library has no TLS within TLS.
        from urllib3.util.ssltransport import SSLTransport

        return SSLTransport(sock, tls, server_hostname=server_name)
    except BaseException:
        sock.close()
        raise


def _connect_by_http(proxy: SplitResult, host: str, port: int, seconds: float) -> Any:
    """A tunnel through a proxy by CONNECT (RFC 9110, 9.3.6)."""
    sock = connection_to(proxy, seconds)
    if proxy.scheme == "https":
        sock = _with_tls(sock, ssl.create_default_context(), proxy.hostname or "")
    try:
        target = f"[{host}]:{port}" if ":" in host else f"{host.encode('idna').decode()}:{port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if proxy.username:
            login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login).decode()}")
        sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        answer = b""
        # Byte by byte: what follows belongs to the server.
        while not answer.endswith(b"\r\n\r\n"):
            part = sock.recv(1)
            if not part or len(answer) > PROXY_ANSWER_LIMIT:
                raise ProxyError("the proxy gave no answer")
            answer += part
        status = answer.split(b" ", 2)[1:2]
        if not status or not status[0].startswith(b"2"):
            raise ProxyError("the proxy refused the connection")
    except BaseException:
        sock.close()
        raise
    return sock


def failure(problem: Exception, seconds: float) -> str:
    """Why there was no response, without the libraries' own texts: they can contain a proxy's address or a header."""
    if isinstance(problem, TooLong):
        return f"its response is longer than {SIZE_LIMIT // 1024**2} MiB"
    if isinstance(problem, ProxyError):
        return str(problem)
    if isinstance(problem, socket.gaierror):
        return "the name of its host cannot be resolved"
    if isinstance(problem, ssl.SSLCertVerificationError | UnicodeError):
        return kind_of(problem)
    if isinstance(problem, TimeoutError):
        return f"no complete response within {max(1.0, seconds):.0f} s"
    if isinstance(problem, http.client.InvalidURL):
        return "the request cannot be sent (a space or a control character in a name?)"
    if isinstance(problem, ValueError):
        return "the login of the kubeconfig cannot be sent (a line break in a token?)"
    return kind_of(problem)
