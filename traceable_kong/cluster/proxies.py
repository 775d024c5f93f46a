"""Which proxy a connection to the API server goes through, by the environment as kubectl reads it.

kubectl is a Go program, and Go's rules differ from those of Python's libraries: no proxy for this machine, CIDR ranges
in NO_PROXY, and every name is resolved by the proxy (https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config).
"""

import ipaddress
import os
import socket
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from traceable_kong.common.safe_text import kind_of

SCHEMES = ("http", "https", "socks5", "socks5h")

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class ProxyError(OSError):
    """The proxy did not connect to the server."""


def proxy_of(url: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The URL of the proxy for a server by HTTPS_PROXY, HTTP_PROXY and NO_PROXY; None for a direct connection.

    Raises ValueError for a proxy that is not a URL.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    proxy = _variable(environment, f"{parts.scheme}_proxy")
    if not proxy or _is_local(host) or _is_excluded(host.rstrip("."), port, _variable(environment, "no_proxy")):
        return None
    found = proxy if proxy.startswith(tuple(f"{scheme}://" for scheme in SCHEMES)) else f"http://{proxy}"
    address_of(urlsplit(found))
    return found


def address_of(proxy: SplitResult) -> tuple[str, int]:
    """Host and port of a proxy. Raises ValueError without a host."""
    if proxy.scheme not in SCHEMES or not proxy.hostname:
        raise ValueError("not the URL of a proxy")
    return proxy.hostname, proxy.port or _PORTS[proxy.scheme]


def connection_to(proxy: SplitResult, seconds: float | None) -> socket.socket:
    """Raises ProxyError, or ValueError for a URL without a host."""
    try:
        return socket.create_connection(address_of(proxy), timeout=seconds)
    except OSError as problem:
        raise ProxyError(f"the proxy does not answer ({kind_of(problem)})") from None


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name.upper()) or environment.get(name) or ""


def _is_local(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_excluded(host: str, port: int, no_proxy: str) -> bool:
    for entry in (part.strip().lower() for part in no_proxy.split(",")):
        if entry == "*":
            return True
        if entry and _matches(entry, host, port):
            return True
    return False


def _matches(entry: str, host: str, port: int) -> bool:
    address = _address(host)
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, wanted = _split_port(entry)
    if wanted not in ("", str(port)):
        return False
    if own := _address(name.strip("[]")):
        return own == address
    if name.startswith("*."):
        name = name[1:]
    # `.example.com` is for its subdomains only, `example.com` also for itself.
    return host == name or host.endswith(name if name.startswith(".") else f".{name}")


def _split_port(entry: str) -> tuple[str, str]:
    name, colon, port = entry.rpartition(":")
    if not colon or _address(entry) or entry.endswith("]"):
        return entry, ""
    return name, port


def connect_by_socks(proxy: SplitResult, host: str, port: int, seconds: float | None) -> socket.socket:
    """A connection to a host through a SOCKS5 proxy, which resolves its name (RFC 1928, RFC 1929).

    Raises OSError, ProxyError among them.
    """
    sock = connection_to(proxy, seconds)
    try:
        _socks_login(sock, unquote(proxy.username or "").encode(), unquote(proxy.password or "").encode())
        address = _address(host)
        if address is not None:
            target = bytes([1 if address.version == 4 else 4]) + address.packed
        else:
            name = host.encode("idna")
            target = bytes([3, len(name)]) + name
        sock.sendall(b"\x05\x01\x00" + target + port.to_bytes(2, "big"))
        version, reply, _, kind = _receive(sock, 4)
        if (version, reply) != (5, 0):
            raise ProxyError("the proxy refused the connection")
        # The address that the proxy used: IPv4, IPv6, or a name after its length.
        length = {1: 4, 4: 16}.get(kind) or _receive(sock, 1)[0]
        _receive(sock, length + 2)
    except BaseException:
        sock.close()
        raise
    return sock


def _socks_login(sock: socket.socket, user: bytes, password: bytes) -> None:
    if max(len(user), len(password)) > 255:
        raise ProxyError("the user or the password for the proxy is too long")
    sock.sendall(b"\x05\x02\x00\x02" if user else b"\x05\x01\x00")
    version, method = _receive(sock, 2)
    if version != 5 or method not in ((0, 2) if user else (0,)):
        raise ProxyError("the proxy refused the login")
    if method == 2:
        sock.sendall(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
        if _receive(sock, 2)[1] != 0:
            raise ProxyError("the proxy refused the login")


def _receive(sock: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        part = sock.recv(length - len(found))
        if not part:
            raise ProxyError("the proxy closed the connection")
        found += part
    return found
