"""The proxy port of a simulated Kong node without a database: which route a request matches, and what answers it.

Statuses, bodies and headers are those of Kong 3.9 (`kong/runloop/handler.lua`, `kong/error_handlers.lua`,
`kong/plugins/request-termination/handler.lua`). Of the plugins, only request-termination does something. No upstream is
connected to.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from local.kong.declarative_config import Entities

Answer = tuple[int, Any, dict[str, str]]
"""Status, JSON body and headers."""

SERVER = "kong/3.9.1"

_TERMINATION_DEFAULTS = {
    401: "Unauthorized",
    404: "Not found",
    405: "Method not allowed",
    500: "An unexpected error occurred",
    502: "Bad Gateway",
    503: "Service unavailable",
}


def answer(
    entities: Entities, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], *, tls: bool
) -> Answer:
    """The response to a request. `headers` have lowercase names."""
    route = _route(entities, method, path, headers.get("host", "").rsplit(":", 1)[0])
    if route is None:
        return _by_kong(404, _error("no Route matched with those values"))
    if not tls and (route.get("protocols") or ["http"]) == ["https"]:
        return _by_kong(426, _error("Please use HTTPS protocol"), Connection="Upgrade", Upgrade="TLS/1.2, HTTP/1.1")
    service = _referred(entities, "services", route.get("service"))
    termination = _termination(entities, route, service)
    if termination is not None:
        trigger = termination.get("trigger")
        if not trigger or trigger.lower() in headers or trigger in query:
            status = int(termination.get("status_code", 503))
            message = termination.get("message") or _TERMINATION_DEFAULTS.get(status)
            return _by_kong(status, {"message": message} if message else None)
    if not service:
        return _by_kong(503, _error("no Service found with those values"))
    if not _has_peer(entities, service):
        return _by_kong(503, _error("failure to get a peer from the ring-balancer"))
    latencies = {"X-Kong-Upstream-Latency": "1", "X-Kong-Proxy-Latency": "1", "Via": f"1.1 {SERVER}"}
    return 502, _error("An invalid response was received from the upstream server"), {**latencies, "Server": SERVER}


def _route(entities: Entities, method: str, path: str, host: str) -> dict[str, Any] | None:
    """The matching route with the most conditions, and of these the one with the longest path."""
    found = [
        (sum(bool(route.get(key)) for key in ("hosts", "methods", "paths")), length, route)
        for route in entities.get("routes", [])
        if (not route.get("methods") or method in route["methods"])
        and (not route.get("hosts") or any(_matches_host(wanted, host) for wanted in route["hosts"]))
        and (length := _longest_path(route.get("paths"), path)) is not None
    ]
    return max(found, key=lambda item: item[:2])[2] if found else None


def _matches_host(wanted: str, host: str) -> bool:
    pattern = re.escape(wanted.lower()).replace(r"\*", ".+")
    return bool(re.fullmatch(pattern, host.lower()))


def _longest_path(paths: list[str] | None, path: str) -> int | None:
    """The length of the longest path that matches; a path that begins with ~ is a regular expression."""
    if not paths:
        return 0
    lengths = [
        len(wanted)
        for wanted in paths
        if (re.match(wanted[1:], path) if wanted.startswith("~") else path.startswith(wanted))
    ]
    return max(lengths, default=None)


def _termination(
    entities: Entities, route: Mapping[str, Any], service: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The config of the request-termination with the narrowest scope: of the route, of its service, or global."""
    plugins = [
        item
        for item in entities.get("plugins", [])
        if item["name"] == "request-termination" and item.get("enabled", True) and not item.get("consumer")
    ]
    for of_route, of_service in ((True, False), (False, True), (False, False)):
        for item in plugins:
            route_id, service_id = _id(item.get("route")), _id(item.get("service"))
            if (bool(route_id), bool(service_id)) != (of_route, of_service):
                continue
            if (not of_route or route_id == route["id"]) and (not of_service or service_id == _id(service)):
                return dict(item.get("config") or {})
    return None


def _has_peer(entities: Entities, service: Mapping[str, Any]) -> bool:
    """False for an upstream without targets."""
    upstream = next((item for item in entities.get("upstreams", []) if item.get("name") == service.get("host")), None)
    return upstream is None or any(_id(item.get("upstream")) == upstream["id"] for item in entities.get("targets", []))


def _referred(entities: Entities, kind: str, reference: Any) -> dict[str, Any] | None:
    return next((item for item in entities.get(kind, []) if item["id"] == _id(reference)), None)


def _id(reference: Any) -> str:
    return str(reference["id"]) if reference else ""


def _by_kong(status: int, document: Any, **headers: str) -> Answer:
    return status, document, {"X-Kong-Response-Latency": "0", "Server": SERVER, **headers}


def _error(message: str) -> dict[str, str]:
    return {"message": message, "request_id": uuid.uuid4().hex}
