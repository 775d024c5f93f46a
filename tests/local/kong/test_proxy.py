"""The proxy port of a simulated Kong: routes, request-termination, and upstreams without an answer."""

import json
from typing import Any

import pytest

from local.kong import proxy
from local.kong.declarative_config import Entities, read
from local.kong.plugin_loader import LoadedPlugin

DOCUMENT: dict[str, Any] = {
    "services": [
        {
            "name": "orders",
            "host": "orders.default.80.svc",
            "routes": [
                {"name": "orders", "paths": ["/orders/", "~/orders$"]},
                {"name": "by-host", "paths": ["/"], "hosts": ["*.example.com"]},
                {"name": "posts", "paths": ["/posts"], "methods": ["POST"], "protocols": ["https"]},
                {
                    "name": "blocked",
                    "paths": ["/orders/blocked"],
                    "plugins": [
                        {"name": "request-termination", "config": {"status_code": 403, "message": "Access Forbidden"}}
                    ],
                },
                {
                    "name": "triggered",
                    "paths": ["/triggered"],
                    "plugins": [{"name": "request-termination", "config": {"trigger": "X-Attack"}}],
                },
            ],
        },
        {"name": "empty", "host": "empty.default.80.svc", "routes": [{"name": "empty", "paths": ["/empty"]}]},
    ],
    "routes": [{"name": "nowhere", "paths": ["/nowhere"]}],
    "upstreams": [
        {"name": "orders.default.80.svc", "targets": [{"target": "10.0.0.1:80"}]},
        {"name": "empty.default.80.svc"},
    ],
}


@pytest.fixture(scope="module")
def entities() -> Entities:
    bundled = LoadedPlugin(name="request-termination", version="3.9.1", priority=2)
    return read(json.loads(json.dumps(DOCUMENT)), {"request-termination": bundled})


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "message"),
    [
        ("GET", "/", {}, 404, "no Route matched with those values"),
        ("GET", "/orders", {}, 502, "An invalid response was received from the upstream server"),
        ("GET", "/orders/1", {}, 502, "An invalid response was received from the upstream server"),
        ("GET", "/ordersx", {}, 404, "no Route matched with those values"),
        ("GET", "/orders/blocked", {}, 403, "Access Forbidden"),
        (
            "GET",
            "/x",
            {"host": "api.example.com:8000"},
            502,
            "An invalid response was received from the upstream server",
        ),
        ("GET", "/x", {"host": "example.com"}, 404, "no Route matched with those values"),
        ("GET", "/posts", {}, 404, "no Route matched with those values"),
        ("POST", "/posts", {}, 426, "Please use HTTPS protocol"),
        ("GET", "/empty", {}, 503, "failure to get a peer from the ring-balancer"),
        ("GET", "/nowhere", {}, 503, "no Service found with those values"),
        ("GET", "/triggered", {}, 502, "An invalid response was received from the upstream server"),
        ("GET", "/triggered", {"x-attack": "1"}, 503, "Service unavailable"),
    ],
)
def test_the_response(
    entities: Entities, method: str, path: str, headers: dict[str, str], status: int, message: str
) -> None:
    found, document, shown = proxy.answer(entities, method, path, {}, headers, tls=False)
    assert (found, document["message"]) == (status, message)
    assert ("X-Kong-Upstream-Latency" in shown) is (status == 502)
    assert ("X-Kong-Response-Latency" in shown) is (status != 502) and shown["Server"] == "kong/3.9.1"


def test_https(entities: Entities) -> None:
    assert proxy.answer(entities, "POST", "/posts", {}, {}, tls=True)[0] == 502


def test_a_trigger_in_the_query(entities: Entities) -> None:
    assert proxy.answer(entities, "GET", "/triggered", {"X-Attack": ""}, {}, tls=False)[0] == 503
