"""How the answers of a Kong are read."""

import threading
from pathlib import Path
from typing import Any

import pytest

from local import certificates
from tests.fakes.fake_kubernetes import FakeKubernetes, Serve
from tests.fakes.plugin_schemas import SCHEMA
from tests.fakes.pod_servers import admin_api, http, talking, tls
from traceable_kong.cluster.kong_listen import Listener
from traceable_kong.kong_admin.admin_errors import Unavailable
from traceable_kong.verification import kong_observation

PLAIN = Listener(port=8001, tls=False)
TLS = Listener(port=8444, tls=True)


def behind(port: int, serve: Serve | None) -> FakeKubernetes:
    kube = FakeKubernetes()
    if serve is not None:
        kube.listeners["gw-1", port] = serve
    return kube


def observed(kube: FakeKubernetes, listener: Listener) -> kong_observation.KongAnswer:
    """What the Kong of the pod gw-1 reports, where every instance of the plugin counts."""
    return kong_observation.observe_kong(kube, "gw", "gw-1", listener, plugin="traceable", is_own=lambda _: True)


AVAILABLE = {"traceable": {"version": "2.1.2", "priority": 1}, "cors": {"version": "3.9.0"}, "odd": True}


def test_the_plugins_that_kong_has_loaded_and_lists() -> None:
    asked: list[str] = []
    plugins = [{"name": f"plugin-{number}"} for number in range(5)]
    kube = behind(8001, http(admin_api(plugins, AVAILABLE, page=2), asked=asked))
    kong = observed(kube, PLAIN)
    assert kong.available == {"traceable": "2.1.2", "cors": "3.9.0"}
    assert kong.plugins == plugins, "every page"
    assert asked == [
        *("/", "/plugins?size=1000", "/plugins?offset=2", "/plugins?offset=4"),
        *("/schemas/plugins", "/schemas/plugins/traceable"),
    ]
    assert kong.schema == SCHEMA and kong.schema_problem == ""
    assert kube.forwarded == [("gw", "gw-1", 8001)], "over one forward"


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_missing_schema_is_no_error(status: int) -> None:
    shown = admin_api([{"name": "traceable"}], AVAILABLE)
    serve = http(lambda path: (status, b"{}") if "/schemas/" in path else shown(path))
    kong = observed(behind(8001, serve), PLAIN)
    assert kong.schema is None and kong.plugins == [{"name": "traceable"}]
    assert (f"HTTP {status}" if status != 404 else "has no schemas") in kong.schema_problem


def test_a_kong_without_the_plugin_is_not_asked_for_its_schema() -> None:
    kong = observed(behind(8001, http(admin_api([], {}))), PLAIN)
    assert (kong.schema, kong.schema_problem) == (None, "")


@pytest.mark.parametrize(
    ("bound", "routed"),
    [
        ({}, True),
        ({"route": {"id": "r"}}, True),
        ({"service": {"id": "s"}}, False),
        ({"consumer": {"id": "c"}}, False),
        ({"route": {"id": "r"}, "consumer_group": {"id": "c"}}, False),
        ({"route": {"id": "r"}, "tags": ["other"]}, False),
        (None, False),
    ],
)
def test_whether_a_route_has_the_plugin(bound: dict[str, Any] | None, routed: bool) -> None:
    plugins = [{"name": "cors", "route": {"id": "r"}}, *([] if bound is None else [{"name": "traceable", **bound}])]
    serve = http(admin_api(plugins, AVAILABLE))
    kong = kong_observation.observe_kong(
        behind(8001, serve), "gw", "gw-1", PLAIN, plugin="traceable", is_own=lambda item: item.get("tags") != ["other"]
    )
    assert kong.routed is routed


def test_a_service_with_a_route() -> None:
    shown = admin_api([{"name": "traceable", "service": {"id": "s"}}], AVAILABLE)
    serve = http(lambda path: (200, b'{"data": [{"id": "r"}]}') if "/services/s/routes" in path else shown(path))
    assert observed(behind(8001, serve), PLAIN).routed


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    certificates.ensure(folder)
    return folder / certificates.SERVER_FILE


def test_an_admin_api_with_a_self_signed_certificate(certificate: Path) -> None:
    kube = behind(8444, tls(certificate, http(admin_api([{"name": "cors"}], AVAILABLE))))
    assert observed(kube, TLS).plugins == [{"name": "cors"}]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("listener", [PLAIN, TLS])
def test_the_port_forward_is_closed(certificate: Path, listener: Listener) -> None:
    gone = threading.Event()
    serve = http(admin_api([], AVAILABLE), gone=gone)
    kube = behind(listener.port, tls(certificate, serve) if listener.tls else serve)
    kept = observed(kube, listener)
    assert gone.wait(5) and kept.plugins == []


@pytest.mark.parametrize(
    ("serve", "text"),
    [
        (None, "the Admin API does not answer"),
        (talking(b""), "the Admin API does not answer"),
        (talking(b"SSH-2.0-OpenSSH_9.2\r\n"), "the Admin API does not answer"),
        (http(lambda path: (401, b"{}")), "answers / with HTTP 401"),
        (http(lambda path: (200, b"<html>")), "answers / with something that is not a JSON object"),
        (http(lambda path: (200, b"[]")), "answers / with something that is not a JSON object"),
        (http(lambda path: (200, b"{}") if path == "/" else (500, b"{}")), "answers /plugins?size=1000 with HTTP 500"),
    ],
)
def test_a_server_that_is_no_admin_api(serve: Serve | None, text: str) -> None:
    with pytest.raises(Unavailable) as silent:
        observed(behind(8001, serve), PLAIN)
    assert text in str(silent.value)


def test_plain_http_on_a_tls_port() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        observed(behind(8444, talking(b"HTTP/1.1 400 Bad Request\r\n\r\n")), TLS)


def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kong_observation, "ANSWER_TIMEOUT_SECONDS", 0.05)
    end = threading.Event()
    try:
        with pytest.raises(Unavailable, match="timed out"):
            observed(behind(8001, lambda channel: end.wait(5) and None), PLAIN)
    finally:
        end.set()


@pytest.mark.parametrize("status", [200, 404, 500])
def test_any_http_status_is_an_answer(status: int) -> None:
    kong_observation.require_http(behind(5442, http(lambda path: (status, b"x"))), "gw", "gw-1", 5442)


@pytest.mark.parametrize("serve", [None, talking(b"not http\r\n")])
def test_a_port_without_http(serve: Serve | None) -> None:
    with pytest.raises(Unavailable, match="port 5442 does not answer"):
        kong_observation.require_http(behind(5442, serve), "gw", "gw-1", 5442)
