"""Kong's own answers, pod by pod: its Admin API, reached by a port-forward, as the pod's own settings leave it.

Nothing is exposed for it: the forward ends inside the pod, where the Admin API listens on localhost (kong chart
3.4.1). Its certificate is self-signed and is not checked: the way there is the API server's own connection.
Leaves out what the answers mean (proof/judging.py).
"""

import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import kube

ANSWER_TIMEOUT_SECONDS = 5
PAGE_SIZE = 1000


class Silent(Exception):
    """Nobody answers there, or with something else; the text says what was tried."""


@dataclass(frozen=True)
class Listener:
    """A port of the Admin API inside its pod."""

    port: int
    tls: bool


@dataclass(frozen=True)
class KongAnswer:
    """`available` is `{plugin: version}` of what this Kong can run, `plugins` what it is configured with."""

    available: Mapping[str, str]
    plugins: list[dict[str, Any]]


def environment(container: Mapping[str, Any]) -> dict[str, str | None]:
    """`{name: value}` of a container's own variables; None where the value stands elsewhere (`valueFrom`)."""
    return {item["name"]: item.get("value") for item in container.get("env") or []}


def admin_listener(container: Mapping[str, Any]) -> Listener:
    """Where the Admin API listens, from KONG_ADMIN_LISTEN. Raises Silent where it does not.

    The form is `address:port [flags], ...`, or `off` (https://developer.konghq.com/gateway/configuration/).
    """
    variables = environment(container)
    # Kong's own default, where the variable is not set.
    listen = variables.get("KONG_ADMIN_LISTEN", "127.0.0.1:8001, 127.0.0.1:8444 http2 ssl")
    if listen is None:
        raise Silent("KONG_ADMIN_LISTEN comes from elsewhere (valueFrom), so it cannot be told where to ask")
    for entry in listen.split(","):
        found = re.match(r"\s*(?:\[[^\]]*\]|[^\s:\[]+):(\d+)(.*)$", entry)
        if found:
            return Listener(port=int(found[1]), tls="ssl" in found[2].split())
    raise Silent(f"KONG_ADMIN_LISTEN is {listen!r}: the Admin API has no port that could be asked")


def ask(api: kube.Kube, namespace: str, pod: str, listener: Listener) -> KongAnswer:
    """What the Kong of a pod says of itself. Raises Silent, kube.ApiError or kube.Unreachable."""
    with _connected(api, namespace, pod, listener) as connection:
        root = _get(connection, "/")
        available = (root.get("plugins") or {}).get("available_on_server") or {}
        plugins: list[dict[str, Any]] = []
        path: str | None = f"/plugins?size={PAGE_SIZE}"
        while path:
            page = _get(connection, path)
            plugins += page.get("data") or []
            path = page.get("next")
    versions = {name: str(item.get("version")) for name, item in available.items() if isinstance(item, dict)}
    return KongAnswer(available=versions, plugins=plugins)


def answers_http(api: kube.Kube, namespace: str, pod: str, port: int) -> None:
    """Returns where somebody answers HTTP on a port of a pod, with whatever status.

    Raises Silent, kube.ApiError or kube.Unreachable.
    """
    with _connected(api, namespace, pod, Listener(port=port, tls=False)) as connection:
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as problem:
            raise Silent(f"port {port} does not answer ({problem or type(problem).__name__})") from None


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket that is there already."""

    def __init__(self, channel: socket.socket, listener: Listener) -> None:
        super().__init__("localhost", listener.port, timeout=ANSWER_TIMEOUT_SECONDS)
        self._channel = channel
        self._tls = listener.tls

    def connect(self) -> None:
        self._channel.settimeout(ANSWER_TIMEOUT_SECONDS)
        self.sock = self._channel
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self._channel, server_hostname="localhost")


@contextmanager
def _connected(api: kube.Kube, namespace: str, pod: str, listener: Listener) -> Iterator[_Connection]:
    # TLS takes the channel over, so it is the connection that is closed then.
    with (
        closing(api.forward(namespace, pod, listener.port)) as channel,
        closing(_Connection(channel, listener)) as connection,
    ):
        yield connection


def _get(connection: _Connection, path: str) -> dict[str, Any]:
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as problem:
        raise Silent(f"the Admin API does not answer ({problem or type(problem).__name__})") from None
    if response.status != 200:
        raise Silent(f"the Admin API answers {path} with HTTP {response.status}")
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Silent(f"the Admin API answers {path} with something that is not JSON")
    return document
