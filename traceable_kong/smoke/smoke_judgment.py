"""What a response says about a request, and what it does not. Pure."""

import json
from collections.abc import Mapping
from http.client import HTTPMessage

from traceable_kong.common.http_exchange import HttpResponse
from traceable_kong.common.safe_text import printable
from traceable_kong.plan.blocking_record import Blocking
from traceable_kong.smoke.smoke_model import SmokeRequest, SmokeResponse, SmokeResult, Verdict

EXCERPT = 200
"""Characters of a body that are shown."""

SHORTEST_SECRET = 4
"""Shorter values are in too many texts."""

SHOWN = (
    "X-Kong-Proxy-Latency",
    "X-Kong-Upstream-Latency",
    "X-Kong-Response-Latency",
    "X-Kong-Upstream-Status",
    "X-Kong-Request-Id",
)
LONGEST_HEADER = 100

NO_ROUTE = "no Route matched with those values"
"""Source: kong/runloop/handler.lua (Kong 3.9): no plugin decides about such a request."""

NEEDS_HTTPS = 426
"""Kong's status for http to a route with https only (kong/runloop/handler.lua)."""


def result_of(
    server: str,
    request: SmokeRequest,
    response: HttpResponse,
    milliseconds: int,
    blocked: Blocking,
    *,
    is_kong: bool,
) -> SmokeResult:
    """The result of a request that was answered. `is_kong` is True where it was sent to a pod of the gateway."""
    headers = kong_headers(response.headers)
    body = response.body.decode(errors="replace")
    verdict, found = _judged(request, response.status, headers, body, blocked, is_kong=is_kong)
    shown = SmokeResponse(
        code=response.status,
        milliseconds=milliseconds,
        kong=headers,
        excerpt=_excerpt(body, request),
    )
    return SmokeResult(server=server, request=request, response=shown, verdict=verdict, found=found)


def unanswered(server: str, request: SmokeRequest, why: str) -> SmokeResult:
    """The result of a request without a response."""
    found = f"No response: {why}. What Kong would do with this request is not known."
    return SmokeResult(server=server, request=request, response=None, verdict="not observed", found=found)


def kong_headers(headers: HTTPMessage) -> dict[str, str]:
    """What Kong says about a response, by its own headers."""
    found = {name: str(headers[name]) for name in SHOWN if name in headers}
    found |= {name: str(headers[name]) for name in ("Via", "Server") if "kong/" in str(headers.get(name)).lower()}
    return {name: printable(value)[:LONGEST_HEADER] for name, value in found.items()}


def _judged(
    request: SmokeRequest,
    status: int,
    kong: Mapping[str, str],
    body: str,
    blocked: Blocking,
    *,
    is_kong: bool,
) -> tuple[Verdict, str]:
    if status == 404 and NO_ROUTE in body:
        return "not observed", (
            "Kong answered that no route matches, so no plugin decided about the request. Name a path of a route, and "
            "its host with --smoke-host."
        )
    has_message = blocked.message is not None and _contains(body, blocked.message)
    if status == blocked.status and has_message:
        what = f"with status {status} and the configured message"
        if request.expects_block:
            return "passed", f"It was blocked {what}."
        return "failed", f"It was answered as a blocked request is, {what}, and should have passed."
    if not (is_kong or kong):
        return "not observed", (
            f"The response, HTTP {status}, has no header of Kong, so it is not known whether Kong answered. Check the "
            "address; where Kong's setting `headers` is off, use --smoke-route."
        )
    if status == NEEDS_HTTPS and not _is_proxied(kong):
        return "not observed", (
            "Kong serves this route with https only. Use --smoke-tls with --smoke-route, or an https address with "
            "--smoke."
        )
    return _of_blocked(status, kong, blocked) if request.expects_block else _of_harmless(status, kong, blocked)


def _of_harmless(status: int, kong: Mapping[str, str], blocked: Blocking) -> tuple[Verdict, str]:
    by = _who(kong)
    if status >= 500:
        return "failed", f"{by} answered with an error, HTTP {status}."
    if status == blocked.status and blocked.message is None and not _is_proxied(kong):
        return "not observed", (
            f"{by} refused it with HTTP {status}, the status of a blocked request. The message of a blocked request is "
            "not known (--smoke-blocked-message), so this does not show whether Traceable blocked it."
        )
    redirect = ", a redirect, which was not followed" if 300 <= status < 400 else ""
    return "passed", f"{by} answered with HTTP {status}{redirect}."


def _of_blocked(status: int, kong: Mapping[str, str], blocked: Blocking) -> tuple[Verdict, str]:
    why = f" {blocked.off}" if blocked.off else ""
    if _is_proxied(kong):
        return "failed", f"It was not blocked: Kong passed it to the upstream, which answered with HTTP {status}.{why}"
    if status < 400:
        return "failed", f"It was not blocked: HTTP {status}.{why}"
    if status == blocked.status and blocked.message is None:
        return "passed", (
            f"It was refused with HTTP {status}, the status of a blocked request. The message of a blocked request is "
            "not known (--smoke-blocked-message), so this does not show that Traceable refused it."
        )
    if status == blocked.status:
        return "not observed", (
            f"It was refused with HTTP {status}, but without the configured message: another plugin, or the upstream, "
            "may have refused it."
        )
    return "not observed", (
        f"The response is HTTP {status}, not {blocked.status} as for a blocked request: another plugin may have "
        "answered before Traceable was asked."
    )


def _is_proxied(kong: Mapping[str, str]) -> bool:
    """True where the upstream answered."""
    return "X-Kong-Upstream-Latency" in kong


def _who(kong: Mapping[str, str]) -> str:
    if _is_proxied(kong):
        return "The upstream"
    return "Kong itself" if "X-Kong-Response-Latency" in kong else "Kong"


def _contains(body: str, message: str) -> bool:
    """True for a body with the message, as it is or within JSON."""
    return message in body or json.dumps(message)[1:-1] in body


def _excerpt(body: str, request: SmokeRequest) -> str:
    """The beginning of a body, without the headers' values, which a server can repeat."""
    values = {part for _, value in request.headers for part in (value, *value.split()) if len(part) >= SHORTEST_SECRET}
    for value in sorted(values, key=len, reverse=True):
        body = body.replace(value, "(secret)")
    text = printable(body)
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}..."
