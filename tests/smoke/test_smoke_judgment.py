"""What a response says about a request: never more than was observed."""

from collections.abc import Mapping

import pytest

from tests.command_line.reports import BLOCKED, KONG, UPSTREAM, judged
from traceable_kong.plan.blocking_record import Blocking
from traceable_kong.smoke.smoke_judgment import EXCERPT, NO_ROUTE
from traceable_kong.smoke.smoke_model import SmokeRequest

MESSAGE = '{"message":"Access Forbidden"}'
NOT_KNOWN = Blocking(status=403)
Headers = Mapping[str, str]


@pytest.mark.parametrize(
    ("status", "body", "headers", "verdict", "text"),
    [
        (200, "hi", UPSTREAM, "passed", "The upstream answered with HTTP 200."),
        (200, "hi", KONG, "passed", "Kong itself answered with HTTP 200."),
        (200, "hi", {}, "passed", "Kong answered with HTTP 200."),
        (401, "no key", KONG, "passed", "HTTP 401"),
        (404, "not here", UPSTREAM, "passed", "The upstream answered with HTTP 404"),
        (302, "", UPSTREAM, "passed", "not followed"),
        (403, "other", KONG, "passed", "HTTP 403"),
        (403, MESSAGE, KONG, "failed", "as a blocked request is"),
        (502, "", UPSTREAM, "failed", "an error, HTTP 502"),
        (500, "", {}, "failed", "HTTP 500"),
        (404, f'{{"message":"{NO_ROUTE}"}}', KONG, "not observed", "no plugin decided"),
        (426, "", KONG, "not observed", "https only"),
    ],
)
def test_a_harmless_request(status: int, body: str, headers: Headers, verdict: str, text: str) -> None:
    found = judged(status, body, headers=headers)
    assert found.verdict == verdict and text in found.found


def test_a_refusal_with_the_status_of_a_blocked_request_and_no_known_message() -> None:
    assert judged(403, "no", headers=KONG, blocked=NOT_KNOWN).verdict == "not observed"
    assert judged(403, "no", headers=UPSTREAM, blocked=NOT_KNOWN).verdict == "passed"
    assert judged(401, "no", headers=KONG, blocked=NOT_KNOWN).verdict == "passed"


@pytest.mark.parametrize("expects_block", [True, False])
def test_a_missing_route_is_no_blocked_request_whatever_the_record_says(expects_block: bool) -> None:
    blocked = Blocking(status=404, message="no Route")
    found = judged(404, NO_ROUTE, headers=KONG, blocked=blocked, expects_block=expects_block)
    assert found.verdict == "not observed"


@pytest.mark.parametrize(
    ("status", "body", "headers", "blocked", "verdict", "text"),
    [
        (403, MESSAGE, KONG, BLOCKED, "passed", "It was blocked with status 403 and the configured message."),
        (403, MESSAGE, {}, BLOCKED, "passed", "It was blocked"),
        (403, "no", KONG, BLOCKED, "not observed", "without the configured message"),
        (403, "no", KONG, NOT_KNOWN, "passed", "does not show that Traceable refused it"),
        (403, "no", UPSTREAM, NOT_KNOWN, "failed", "passed it to the upstream"),
        (403, "no", UPSTREAM, BLOCKED, "failed", "passed it to the upstream"),
        (200, "hi", UPSTREAM, BLOCKED, "failed", "not blocked"),
        (200, "hi", {}, BLOCKED, "failed", "not blocked: HTTP 200"),
        (451, MESSAGE, KONG, BLOCKED, "not observed", "HTTP 451, not 403"),
        (401, "", KONG, BLOCKED, "not observed", "another plugin"),
        (503, "", KONG, BLOCKED, "not observed", "HTTP 503"),
        (404, NO_ROUTE, KONG, BLOCKED, "not observed", "no plugin decided"),
    ],
)
def test_a_request_that_must_be_blocked(
    status: int, body: str, headers: Headers, blocked: Blocking, verdict: str, text: str
) -> None:
    found = judged(status, body, headers=headers, blocked=blocked, expects_block=True)
    assert found.verdict == verdict and text in found.found


def test_a_message_is_found_within_json() -> None:
    blocked = Blocking(status=403, message='say "no"\n')
    assert judged(403, r'{"message":"say \"no\"\n"}', blocked=blocked, expects_block=True).verdict == "passed"


def test_a_stack_that_blocks_nothing_is_named() -> None:
    off = Blocking(status=403, off="With mode async, nothing is blocked.")
    assert judged(200, blocked=off, expects_block=True).found.endswith("With mode async, nothing is blocked.")


def test_behind_a_url_another_server_may_have_answered() -> None:
    assert judged(200, headers={}, is_kong=False).verdict == "not observed"
    assert judged(200, headers={}, is_kong=False, expects_block=True).verdict == "not observed"
    assert judged(200, headers=UPSTREAM, is_kong=False).verdict == "passed"
    assert judged(403, MESSAGE, headers={}, is_kong=False, expects_block=True).verdict == "passed"


def test_what_is_shown_of_a_response() -> None:
    sent = SmokeRequest(method="GET", target="/", headers=(("Authorization", "Bearer planted-token"),))
    found = judged(200, "\x1b[2Jplanted-token and Bearer planted-token" + "x" * 500, request=sent)
    assert found.response is not None and found.response.latencies == "Kong 1 ms, upstream 8 ms"
    assert set(found.response.kong) == {"X-Kong-Proxy-Latency", "X-Kong-Upstream-Latency", "Via"}
    assert len(found.response.excerpt) == EXCERPT + 3 and found.response.excerpt.isprintable()
    assert "planted" not in found.response.excerpt and "planted" not in repr(found)


def test_a_header_of_a_server_is_bounded() -> None:
    found = judged(200, headers={"X_Kong_Request_Id": "\x1b" + "x" * 5000, "Set_Cookie": "planted"})
    assert found.response is not None and list(found.response.kong) == ["X-Kong-Request-Id"]
    assert len(found.response.kong["X-Kong-Request-Id"]) == 100 and "planted" not in str(found)
