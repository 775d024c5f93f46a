"""The port of Kong's Admin API, by KONG_ADMIN_LISTEN."""

from typing import Any

import pytest

from traceable_kong.cluster.kong_listen import Listener
from traceable_kong.kong_admin.admin_connection import admin_listener
from traceable_kong.kong_admin.admin_errors import Unavailable

PLAIN = Listener(port=8001, tls=False)
TLS = Listener(port=8444, tls=True)


def container(*env: dict[str, Any]) -> dict[str, Any]:
    return {"name": "proxy", "env": [{"name": "OTHER", "value": "x"}, *env]}


@pytest.mark.parametrize(
    ("listen", "listener"),
    [
        ("127.0.0.1:8444 http2 ssl", TLS),
        ("127.0.0.1:8444 http2 ssl, [::1]:8444 http2 ssl", TLS),
        ("[::1]:8444 ssl reuseport", TLS),
        ("[::]:8001", PLAIN),
        ("0.0.0.0:8001 reuseport backlog=16384,0.0.0.0:8444 ssl", PLAIN),
        ("localhost:8001", PLAIN),
        ("unix:/run/admin.sock, 127.0.0.1:8001", PLAIN),
        ("127.0.0.1:8001 nossl", PLAIN),
    ],
)
def test_the_first_port_is_used(listen: str, listener: Listener) -> None:
    assert admin_listener(container({"name": "KONG_ADMIN_LISTEN", "value": listen})) == listener


def test_kongs_default() -> None:
    assert admin_listener(container()) == admin_listener({"name": "proxy"}) == PLAIN


@pytest.mark.parametrize("listen", ["off", "", "unix:/run/admin.sock", "unix:/run/8001/admin.sock"])
def test_an_admin_api_without_a_port(listen: str) -> None:
    with pytest.raises(Unavailable, match="no port to connect to"):
        admin_listener(container({"name": "KONG_ADMIN_LISTEN", "value": listen}))


def test_a_value_from_another_object() -> None:
    reference = {"name": "KONG_ADMIN_LISTEN", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}
    with pytest.raises(Unavailable, match="valueFrom"):
        admin_listener(container(reference))
