"""Requests to real servers on this machine, good and hostile ones, and to the pods of a cluster in memory."""

import ssl
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.hostile_servers import Send, bad_http, server
from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from tests.fakes.limited import run_limited
from tests.fakes.pod_servers import talking
from tests.fakes.protected_cluster import DEPLOYMENT, PODS, cluster
from tests.fakes.protected_gateway import desired, pod
from tests.fakes.self_signed import self_signed
from tests.plugin.hostile_downloads import endless, raw, stalled
from traceable_kong.common.safe_text import PlainError
from traceable_kong.plan.blocking_record import Blocking
from traceable_kong.smoke.smoke_judgment import EXCERPT
from traceable_kong.smoke.smoke_model import Header, SmokeReport, SmokeRequest
from traceable_kong.smoke.smoke_run import HARMLESS_REQUESTS, run_smoke
from traceable_kong.smoke.smoke_targets import SmokeTarget, pod_targets, url_target

BLOCKED = Blocking(status=403, message="Access Forbidden")
ANSWER = b"HTTP/1.1 200 OK\r\nX-Kong-Upstream-Latency: 7\r\nContent-Length: 2\r\n\r\nhi"
REFUSAL = (
    b"HTTP/1.1 403 Forbidden\r\nX-Kong-Response-Latency: 1\r\nContent-Length: 31\r\n\r\n"
    b'{"message":"Access Forbidden"}\n'
)


def asked(*targets: SmokeTarget, headers: tuple[Header, ...] = (), seconds: float = 5.0) -> SmokeReport:
    request = SmokeRequest(method="GET", target="/orders?a=1", headers=headers)
    return run_smoke(targets, [request], BLOCKED, seconds=seconds)


def only(report: SmokeReport) -> tuple[str, str]:
    """Verdict and text, which are the same for every request."""
    (one,) = {(result.verdict, result.found) for result in report.results}
    return one


@pytest.fixture
def http() -> Iterator[tuple[str, list[Send]]]:
    with server() as running:
        yield running


def test_a_url(http: tuple[str, list[Send]]) -> None:
    url, answers = http
    seen: list[Any] = []

    def answer(request: Any) -> None:
        seen.append((request.command, request.path, request.headers.get_all("Host"), request.headers["X-Key"]))
        raw(ANSWER)(request)

    answers.append(answer)
    report = asked(url_target(url, insecure=False), headers=(("Host", "api.example.com"), ("X-Key", "planted")))
    assert only(report) == ("passed", "The upstream answered with HTTP 200.")
    assert seen == [("GET", "/orders?a=1", ["api.example.com"], "planted")] * HARMLESS_REQUESTS
    (first, *_) = report.results
    assert first.response is not None and (first.response.excerpt, first.server) == ("hi", url)
    assert "planted" not in report.text() + repr(report)


def test_a_request_that_must_be_blocked_is_sent_once(http: tuple[str, list[Send]]) -> None:
    url, answers = http
    seen: list[str] = []

    def answer(request: Any) -> None:
        seen.append(f"{request.command} {request.path}")
        raw(REFUSAL)(request)

    answers.append(answer)
    attack = SmokeRequest(method="DELETE", target="/x?id=1'", expects_block=True)
    report = run_smoke([url_target(url, insecure=False)], [attack], BLOCKED, seconds=5)
    assert only(report)[0] == "passed" and seen == ["DELETE /x?id=1'"]


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")
def test_no_server_costs_more_than_its_time(http: tuple[str, list[Send]]) -> None:
    url, answers = http
    hostile = [
        *bad_http(),
        ("a body without an end", endless(ANSWER.replace(b"Content-Length: 2\r\n", b""), b"x" * 65_536)),
    ]
    for name, send in hostile:
        answers.append(send)
        outcome = run_limited(lambda: _said(url), PlainError)
        assert outcome.kind == "refused" and outcome.text.isprintable(), (name, outcome)


def _said(url: str) -> None:
    once = SmokeRequest(method="GET", target="/", expects_block=True)
    raise PlainError(run_smoke([url_target(url, insecure=False)], [once], BLOCKED, seconds=0.3).text())


def test_a_long_body_is_cut(http: tuple[str, list[Send]]) -> None:
    url, answers = http
    answers.append(endless(ANSWER.replace(b"Content-Length: 2\r\n", b""), b"x" * 65_536))
    report = asked(url_target(url, insecure=False))
    assert only(report)[0] == "passed"
    (first, *_) = report.results
    assert first.response is not None and len(first.response.excerpt) == EXCERPT + 3


def test_a_server_that_does_not_answer(http: tuple[str, list[Send]]) -> None:
    url, answers = http
    answers.append(stalled)
    verdict, text = only(asked(url_target(url, insecure=False), seconds=0.2))
    assert verdict == "not observed" and "No response: no complete response within" in text


def test_a_host_that_does_not_exist_and_a_port_without_a_server() -> None:
    assert "cannot be resolved" in only(asked(url_target("http://gateway.invalid/", insecure=False)))[1]
    assert only(asked(url_target("http://127.0.0.1:1/", insecure=False)))[0] == "not observed"


def test_a_proxy_in_the_environment_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://")
    assert "HTTPS_PROXY" in only(asked(url_target("http://gateway.invalid/", insecure=False)))[1]


def test_certificates_are_verified(tmp_path: Path) -> None:
    certificate, key = self_signed("gateway")
    (tmp_path / "pem").write_text(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(ANSWER)

        def log_message(self, *_: Any) -> None: ...

    class Quiet(HTTPServer):
        def handle_error(self, *_: Any) -> None: ...

    listening = Quiet(("127.0.0.1", 0), Handler)
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
    url = f"https://127.0.0.1:{listening.server_address[1]}/orders"
    try:
        verdict, text = only(asked(url_target(url, insecure=False)))
        assert verdict == "not observed" and "certificate" in text
        assert only(asked(url_target(url, insecure=True)))[0] == "passed"
    finally:
        listening.shutdown()
        listening.server_close()


def gateway(**variables: str) -> FakeKubernetes:
    """A cluster with two serving pods and one that is not ready; Kong has these variables."""
    pods = [pod("gw-1"), pod("gw-2"), pod("gw-3", ready=False)]
    for item in pods:
        item["spec"]["containers"][1]["env"] += [{"name": name, "value": value} for name, value in variables.items()]
    return cluster(*pods)


def test_every_serving_pod_is_asked_on_its_proxy_port() -> None:
    kube = gateway(KONG_PROXY_LISTEN="0.0.0.0:8443 http2 ssl, 0.0.0.0:9000 reuseport")
    for name in ("gw-1", "gw-2"):
        kube.listeners[name, 9000] = talking(ANSWER)
    report = asked(*pod_targets(kube, desired(), tls=False))
    assert only(report)[0] == "passed"
    assert [result.server for result in report.results] == ["gw-1"] * 3 + ["gw-2"] * 3
    assert set(kube.forwarded) == {("gw", "gw-1", 9000), ("gw", "gw-2", 9000)}


def test_the_ports_by_default() -> None:
    kube = gateway()
    asked(*pod_targets(kube, desired(), tls=False), *pod_targets(kube, desired(), tls=True), seconds=0.2)
    assert {port for _, _, port in kube.forwarded} == {8000, 8443}


@pytest.mark.parametrize("value", ["off", "unix:/x", "0.0.0.0:8443 ssl"])
def test_a_kong_without_such_a_port_is_not_observed(value: str) -> None:
    verdict, text = only(asked(*pod_targets(gateway(KONG_PROXY_LISTEN=value), desired(), tls=False)))
    assert verdict == "not observed" and "gives Kong no port without TLS" in text


def test_a_gateway_without_pods_is_not_observed() -> None:
    kube = gateway()
    for path in [path for path in kube.objects if path.startswith(PODS)]:
        del kube.objects[path]
    assert only(asked(*pod_targets(kube, desired(), tls=False))) == (
        "not observed",
        "No response: no pod of it serves. What Kong would do with this request is not known.",
    )
    del kube.objects[DEPLOYMENT]
    assert only(asked(*pod_targets(kube, desired(), tls=False)))[0] == "not observed"


def test_a_port_forward_that_is_not_permitted(monkeypatch: pytest.MonkeyPatch) -> None:
    kube = gateway()

    def refuse(*_: object) -> None:
        raise forbidden("pods/portforward is forbidden")

    targets = pod_targets(kube, desired(), tls=False)
    monkeypatch.setattr(kube, "forward", refuse)
    verdict, text = only(asked(*targets))
    assert verdict == "not observed" and "pods/portforward is forbidden" in text
