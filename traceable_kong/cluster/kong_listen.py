"""The addresses at which a Kong listens, as its KONG_*_LISTEN variables name them.

Their form is `address:port [flags], ...`, or `off` (https://developer.konghq.com/gateway/configuration/).
"""

import re
from dataclasses import dataclass

ADMIN_LISTEN = "KONG_ADMIN_LISTEN"
ADMIN_LISTEN_DEFAULT = "127.0.0.1:8001, 127.0.0.1:8444 http2 ssl"
"""Source: kong.conf.default (Kong 3.9)."""

PROXY_LISTEN = "KONG_PROXY_LISTEN"
PROXY_LISTEN_DEFAULT = "0.0.0.0:8000 reuseport backlog=16384, 0.0.0.0:8443 http2 ssl reuseport backlog=16384"
"""Source: kong.conf.default (Kong 3.9)."""


@dataclass(frozen=True)
class Listener:
    """A port inside a pod."""

    port: int
    tls: bool


def listeners(value: str) -> list[Listener]:
    """The ports that a variable names; none for `off` and for Unix sockets."""
    found = [re.match(r"\s*(?:\[[^\]]*\]|[^\s:\[]+):([0-9]{1,9})(?![0-9])(.*)$", entry) for entry in value.split(",")]
    return [Listener(port=int(item[1]), tls="ssl" in item[2].split()) for item in found if item]


def listens_on(value: str, port: int) -> bool:
    """True where one of the addresses has that port."""
    return any(item.port == port for item in listeners(value))
