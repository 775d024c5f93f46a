"""The options for requests through Kong: what they ask for, and which are refused."""

from pathlib import Path

import pytest

from tests.fakes.fake_kubernetes import FakeKubernetes
from tests.fakes.pod_servers import talking
from tests.fakes.protected_cluster import cluster
from tests.fakes.protected_gateway import ASYNC, desired
from tests.smoke.test_smoke_run import ANSWER, REFUSAL
from traceable_kong.command_line.smoke_options import smoke_report
from traceable_kong.command_line.verify_options import parse_options
from traceable_kong.command_line.verify_outcome import USAGE
from traceable_kong.plan.blocking_record import Blocking
from traceable_kong.smoke.smoke_model import SmokeReport

GATEWAY = ("--namespace", "gw")


def asked(
    *options: str, answer: bytes = ANSWER, blocking: Blocking | None = None, changes: dict[str, object] | None = None
) -> SmokeReport:
    """The results of a gateway whose Kong always answers with this."""
    kube: FakeKubernetes = cluster()
    kube.listeners["gw-1", 8000] = talking(answer)
    parsed = parse_options([*GATEWAY, *options], "verify")
    return smoke_report(kube, desired(**(changes or {})), blocking, parsed)


def test_harmless_requests() -> None:
    report = asked("--smoke-route", "/orders", "--smoke-host", "api.example.com:8443", "--smoke-header", "X-Key: a:b")
    assert {result.request.label for result in report.results} == {"GET /orders"}
    assert report.results[0].request.headers == (("Host", "api.example.com:8443"), ("X-Key", "a:b"))


def test_headers_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "headers").write_text("Authorization: Bearer planted\n\nX-Key: b\n")
    report = asked("--smoke-route", "/", "--smoke-header", f"@{tmp_path / 'headers'}", "--smoke-header", "X-Other: c")
    sent = (("Authorization", "Bearer planted"), ("X-Key", "b"), ("X-Other", "c"))
    assert report.results[0].request.headers == sent and "planted" not in report.text()


@pytest.mark.parametrize(
    ("options", "label", "headers"),
    [
        (("--smoke-blocked", "/x?id=1 OR 1=1"), "GET /x?id=1%20OR%201=1", (("X-Key", "a"),)),
        (("--smoke-blocked-header", "User-Agent: sqlmap"), "GET /orders", (("X-Key", "a"), ("User-Agent", "sqlmap"))),
        (("--smoke-blocked-header", "x-key: b"), "GET /orders", (("x-key", "b"),)),
        (("--smoke-blocked-method", "TRACE"), "TRACE /orders", (("X-Key", "a"),)),
    ],
)
def test_a_request_that_must_be_blocked(
    options: tuple[str, ...], label: str, headers: tuple[tuple[str, str], ...]
) -> None:
    *_, last = asked("--smoke-route", "/orders", "--smoke-header", "X-Key: a", *options, answer=REFUSAL).results
    assert last.request.label == f"{label} (must be blocked)" and last.request.headers == headers


@pytest.mark.parametrize(
    ("options", "blocking", "verdict"),
    [
        ((), Blocking(status=403, message="Access Forbidden"), "passed"),
        ((), Blocking(status=403, message="Another"), "not observed"),
        ((), Blocking(status=451, message="Access Forbidden"), "not observed"),
        ((), None, "passed"),
        (("--smoke-blocked-status", "451"), None, "not observed"),
        (("--smoke-blocked-message", "Another"), None, "not observed"),
        (("--smoke-blocked-message", "Access"), Blocking(status=403, message="Another"), "passed"),
    ],
)
def test_the_expected_response_is_the_options_or_the_records(
    options: tuple[str, ...], blocking: Blocking | None, verdict: str
) -> None:
    blocked = ("--smoke-route", "/orders", "--smoke-blocked", "/x", *options)
    *_, last = asked(*blocked, answer=REFUSAL, blocking=blocking).results
    assert last.verdict == verdict


@pytest.mark.parametrize(
    ("changes", "text"), [(ASYNC, "With mode async, nothing is blocked."), ({"enabled": False}, "plugin is disabled")]
)
def test_a_stack_that_blocks_nothing(changes: dict[str, object], text: str) -> None:
    *_, last = asked("--smoke-route", "/", "--smoke-blocked", "/x", changes=changes).results
    assert last.verdict == "failed" and text in last.found


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--smoke-host", "a"), "--smoke-host needs --smoke or --smoke-route"),
        (("--smoke-blocked", "/x"), "--smoke-blocked needs"),
        (("--smoke-route", "/", "--smoke", "http://a"), "not allowed with"),
        (("--smoke-route", "orders"), "does not begin with /"),
        (("--smoke-route", "/a#b"), "fragment"),
        (("--smoke", "http://a/#b"), "fragment"),
        (("--smoke", "ftp://a"), "is not an http or https URL"),
        (("--smoke", "http://"), "is not an http or https URL"),
        (("--smoke", "http://a:x"), "is not an http or https URL"),
        (("--smoke", "http://a b/"), "is not an http or https URL"),
        (("--smoke", "https://me:planted@a"), "use --smoke-header"),
        (("--smoke-route", "/", "--smoke-header", "planted"), "is not of the form"),
        (("--smoke-route", "/", "--smoke-header", "X: planted\nY: b"), "is not of the form"),
        (("--smoke-route", "/", "--smoke-header", "@/nowhere"), "names a file that cannot be read"),
        (("--smoke-route", "/", "--smoke-header", "@/dev/zero"), "is not of the form"),
        (("--smoke-route", "/", "--smoke-header", "@a\0b"), "names a file that cannot be read"),
        (("--smoke-route", "/", "--smoke-host", "a/b"), "is not the name of a host"),
        (("--smoke-route", "/", "--smoke-insecure"), "--smoke-insecure needs --smoke"),
        (("--smoke", "http://a", "--smoke-tls"), "--smoke-tls needs --smoke-route"),
        (("--smoke-route", "/", "--smoke-timeout", "nan"), "is not a number of seconds"),
        (("--smoke-route", "/", "--smoke-timeout", "0"), "is not a number of seconds"),
        (("--smoke-route", "/", "--smoke-blocked", "/x", "--smoke-blocked-status", "4030"), "is not an HTTP status"),
        (("--smoke-route", "/", "--smoke-blocked-method", "A B"), "is not a method"),
        (("--smoke-route", "/", "--smoke-blocked-status", "403"), "needs a request that must be blocked"),
        (("--smoke-route", "/", "--watch"), "--watch sends no requests"),
    ],
)
def test_options_that_are_refused(capsys: pytest.CaptureFixture[str], options: tuple[str, ...], text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_options([*GATEWAY, *options], "verify")
    said = capsys.readouterr().err
    assert ended.value.code == USAGE and text in said and "planted" not in said
