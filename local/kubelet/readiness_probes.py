"""Runs a container's readiness probe if one of this platform's processes can answer it.

Based on https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/. The action and the
failure threshold are the probe's; delays and periods are shorter, to save time. Liveness and startup probes, gRPC, and
commands other than `pg_isready` are not run.
"""

import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import Any

from local.kubelet.pod_roles import POSTGRES_PORT, Container
from local.postgres import postgres_server

TIMEOUT_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The address of a pod's port on this machine. `reachable` is False if only the pod itself can reach it."""

    address: str
    port: int
    reachable: bool = True


def passes(container: Container, endpoints: dict[int, Endpoint]) -> bool:
    """Returns True if the probe passes, if there is none, or if this platform cannot answer it."""
    probe = container.get("readinessProbe") or {}
    command = probe.get("exec", {}).get("command", [])
    if any("pg_isready" in word for word in command) and POSTGRES_PORT in endpoints:
        place = endpoints[POSTGRES_PORT]
        return postgres_server.accepts(place.address, place.port)
    action = probe.get("httpGet") or probe.get("tcpSocket")
    if not action:
        return True
    port = _number(action["port"], container)
    if port is None or port not in endpoints:
        return True
    endpoint = endpoints[port]
    if not endpoint.reachable:
        return False
    return _http(action, endpoint) if "httpGet" in probe else _tcp(endpoint)


def _number(port: int | str, container: Container) -> int | None:
    if isinstance(port, int):
        return port
    named = {item.get("name"): item["containerPort"] for item in container.get("ports", [])}
    return named.get(port)


def _http(action: dict[str, Any], endpoint: Endpoint) -> bool:
    connection: http.client.HTTPConnection
    if action.get("scheme") == "HTTPS":
        unverified = ssl._create_unverified_context()  # A kubelet does not check the certificate either.
        connection = http.client.HTTPSConnection(
            endpoint.address, endpoint.port, timeout=TIMEOUT_SECONDS, context=unverified
        )
    else:
        connection = http.client.HTTPConnection(endpoint.address, endpoint.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", action.get("path") or "/")
        return 200 <= connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tcp(endpoint: Endpoint) -> bool:
    try:
        with socket.create_connection((endpoint.address, endpoint.port), timeout=TIMEOUT_SECONDS):
            return True
    except OSError:
        return False
