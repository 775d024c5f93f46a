"""docs/verification.md shows reports, requests, a watch and exit codes as the program prints them."""

import http.client
import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tests.docs.pages import CLONE
from traceable_kong.command_line import watch
from traceable_kong.command_line.verify_options import EXIT_CODES
from traceable_kong.command_line.verify_outcome import MEANINGS, VerifyOutcome
from traceable_kong.command_line.watch_displays import LogLines
from traceable_kong.common.http_exchange import HttpResponse
from traceable_kong.plan.blocking_record import Blocking
from traceable_kong.smoke.smoke_judgment import result_of
from traceable_kong.smoke.smoke_model import SmokeReport, SmokeRequest, SmokeResult
from traceable_kong.verification.report import Check, Report

PAGE = (CLONE / "docs" / "verification.md").read_text(encoding="utf-8")
GOOD, BAD = "quickstart-kong-6d5c9f7b8-4xk2p", "quickstart-kong-6d5c9f7b8-9wz7q"
CHECKS = ("ready", "files", "tme", "loaded", "plugin", "override")

FAILED = Check(
    pod=BAD,
    name="tme",
    ok=False,
    expected="a ready container with the TME's image docker.io/traceableai/traceable-agent, and an answer on 5442",
    found="no container with that image",
    fix="the injector adds the TME when a pod is created: `kubectl get pods --namespace traceable` shows whether the "
    f"agent's pods are ready, then `kubectl delete pod {BAD} --namespace kong` has this pod created again",
)


def report(*, failed: bool) -> Report:
    passed = [Check(pod=pod, name=name, ok=True, expected="", found="") for pod in (GOOD, BAD) for name in CHECKS]
    checks = [FAILED if failed and (check.pod, check.name) == (BAD, "tme") else check for check in passed]
    return Report(name="kong/quickstart-kong", checks=tuple(checks))


def shows(text: str) -> None:
    assert f"```\n{text}\n```" in PAGE, text


def test_the_page_shows_a_report() -> None:
    shows(report(failed=True).table())


def result(milliseconds: int, status: int, body: str, headers: Mapping[str, str], request: SmokeRequest) -> SmokeResult:
    message = http.client.HTTPMessage()
    for name, value in headers.items():
        message[name] = value
    blocked = Blocking(status=403, message="Access Forbidden")
    response = HttpResponse(status=status, headers=message, body=body.encode())
    return result_of(GOOD, request, response, milliseconds, blocked, is_kong=True)


def test_the_page_shows_requests_through_kong() -> None:
    harmless = SmokeRequest(method="GET", target="/orders")
    attack = SmokeRequest(method="GET", target="/orders?id=1%20OR%201=1", expects_block=True)
    upstream = {"X-Kong-Upstream-Latency": "6", "X-Kong-Proxy-Latency": "3", "Via": "1.1 kong/3.9.1"}
    by_kong = {"X-Kong-Response-Latency": "4", "Server": "kong/3.9.1"}
    results = [result(taken, 200, '{"orders": []}', upstream, harmless) for taken in (31, 18, 17)]
    results.append(result(16, 403, '{"message":"Access Forbidden"}', by_kong, attack))
    shows(SmokeReport(results=tuple(results)).text())


def test_the_page_shows_a_watch() -> None:
    stream, start = io.StringIO(), datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
    good, bad = VerifyOutcome(report=report(failed=False)), VerifyOutcome(report=report(failed=True))
    away = VerifyOutcome(error="https://10.0.0.1:6443: Connection refused", passes=True)
    display, seen = LogLines(stream, 10), watch.Watched(started=start, outcome=good, at=start, since=start)
    for number, outcome in enumerate([*[good] * 31, bad, away, *[good] * 2]):
        seen.add(outcome, start + timedelta(seconds=10 * number))
        display.show(seen)
    display.end(seen)
    shows(stream.getvalue().rstrip("\n"))


@pytest.mark.parametrize("code", MEANINGS)
def test_every_exit_code_is_on_the_page_and_in_the_help(code: int) -> None:
    section = PAGE.partition("## Exit codes")[2].partition("\n## ")[0]
    assert f"| {code} | {MEANINGS[code]}" in section
    assert f"\n  {code:<4} {MEANINGS[code]}" in EXIT_CODES
