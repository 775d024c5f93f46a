"""Sends smoke requests. What a server answers, and how slowly, is bounded."""

import http.client
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from traceable_kong.cluster.api_connection import failure
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.common.http_exchange import exchange
from traceable_kong.kong_admin.admin_errors import AdminError
from traceable_kong.plan.blocking_record import Blocking
from traceable_kong.smoke.smoke_judgment import result_of, unanswered
from traceable_kong.smoke.smoke_model import Header, SmokeReport, SmokeRequest, SmokeResult
from traceable_kong.smoke.smoke_targets import SmokeTarget

HARMLESS_REQUESTS = 3
"""To each target; the first one may have to wait for a connection to the upstream."""

BODY_LIMIT = 64 * 1024
"""Bytes of a body that are read."""

PARALLEL_TARGETS = 10

AGENT = ("User-Agent", "traceable-kong-smoke")


def run_smoke(
    targets: Sequence[SmokeTarget], requests: Iterable[SmokeRequest], blocked: Blocking, *, seconds: float
) -> SmokeReport:
    """Sends every request to every target, the harmless ones several times. Each has so many seconds."""
    repeated = [request for request in requests for _ in range(1 if request.expects_block else HARMLESS_REQUESTS)]

    def ask(target: SmokeTarget) -> list[SmokeResult]:
        return [_result(target, request, blocked, seconds) for request in repeated]

    with ThreadPoolExecutor(PARALLEL_TARGETS) as pool:
        return SmokeReport(results=tuple(result for found in pool.map(ask, targets) for result in found))


def _result(target: SmokeTarget, request: SmokeRequest, blocked: Blocking, seconds: float) -> SmokeResult:
    if isinstance(target.connect, str):
        return unanswered(target.server, request, target.connect)
    started = time.monotonic()
    try:
        with closing(target.connect(seconds)) as connection:
            response = exchange(
                connection,
                request.method,
                request.target,
                body=None,
                headers=_headers(request.headers),
                seconds=seconds,
                limit=BODY_LIMIT,
                cut=True,
            )
    except (ApiError, Unreachable, AdminError) as problem:
        return unanswered(target.server, request, str(problem).rstrip("."))
    except (OSError, http.client.HTTPException, ValueError) as problem:
        return unanswered(target.server, request, _why(problem, seconds))
    milliseconds = round((time.monotonic() - started) * 1000)
    return result_of(target.server, request, response, milliseconds, blocked, is_kong=target.is_pod)


def _why(problem: Exception, seconds: float) -> str:
    if isinstance(problem, ValueError) and not isinstance(problem, OSError | UnicodeError):
        return "the request cannot be sent, or the proxy in the environment (HTTPS_PROXY, HTTP_PROXY) is not a URL"
    return failure(problem, seconds)


def _headers(given: Sequence[Header]) -> list[Header]:
    named = {name.lower() for name, _ in given}
    return [*([] if AGENT[0].lower() in named else [AGENT]), *given]
