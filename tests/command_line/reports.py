"""Reports of a gateway with two pods, and responses of a Kong."""

import http.client
from collections.abc import Mapping

from traceable_kong.command_line.verify_outcome import VerifyOutcome
from traceable_kong.common.http_exchange import HttpResponse
from traceable_kong.plan.blocking_record import Blocking
from traceable_kong.smoke.smoke_judgment import result_of
from traceable_kong.smoke.smoke_model import SmokeReport, SmokeRequest, SmokeResult
from traceable_kong.verification.report import Check, Report

NAMES = ("ready", "files", "tme", "plugin")
HOSTILE = "\x1b[2J\x00<b>]]>&amp;\"'|`a`\n@me #1 \ud800\ufffe\u202e é"


def check(pod: str, name: str, *, ok: bool = True, found: str = "") -> Check:
    return Check(
        pod=pod, name=name, ok=ok, expected=f"good {name}", found=found or f"bad {name}", fix=f"`kubectl get {name}`"
    )


def report(*failed: tuple[str, str], not_checked: tuple[str, ...] = (), found: str = "") -> Report:
    """The checks `failed` of pods (`gw-1`, `gw-2`, or "" for the gateway) fail."""
    checks = [check("", "rollout", ok=("", "rollout") not in failed, found=found)]
    checks += [
        check(pod, name, ok=(pod, name) not in failed, found=found) for pod in ("gw-1", "gw-2") for name in NAMES
    ]
    return Report(name="gw/edge-kong", checks=tuple(checks), not_checked=not_checked, notes=("mind this",))


def outcome(*failed: tuple[str, str], not_checked: tuple[str, ...] = (), found: str = "") -> VerifyOutcome:
    return VerifyOutcome(report=report(*failed, not_checked=not_checked, found=found))


def response(status: int, body: str = "", **headers: str) -> HttpResponse:
    """A response with these headers; `_` in a name is `-`."""
    message = http.client.HTTPMessage()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return HttpResponse(status=status, headers=message, body=body.encode(errors="surrogatepass"))


UPSTREAM = {"X_Kong_Proxy_Latency": "1", "X_Kong_Upstream_Latency": "8", "Via": "1.1 kong/3.9.1"}
KONG = {"X_Kong_Response_Latency": "2", "Server": "kong/3.9.1"}
BLOCKED = Blocking(status=403, message="Access Forbidden")


def judged(
    status: int,
    body: str = "",
    *,
    headers: Mapping[str, str] = UPSTREAM,
    expects_block: bool = False,
    blocked: Blocking = BLOCKED,
    is_kong: bool = True,
    request: SmokeRequest | None = None,
) -> SmokeResult:
    """The result of a request with this response."""
    sent = request or SmokeRequest(method="GET", target="/orders", expects_block=expects_block)
    return result_of("gw-1", sent, response(status, body, **headers), 12, blocked, is_kong=is_kong)


def smoke(*results: SmokeResult) -> SmokeReport:
    return SmokeReport(results=results)
