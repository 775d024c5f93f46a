"""The formats of an outcome: what is in them, and that foreign text cannot break them."""

import dataclasses
import html
import json
import re
from xml.etree import ElementTree

import pytest

from tests.command_line.reports import HOSTILE, judged, outcome, report, smoke
from traceable_kong.command_line import markdown_output
from traceable_kong.command_line.output_formats import FORMATS, formatted
from traceable_kong.command_line.verify_outcome import VerifyOutcome
from traceable_kong.smoke.smoke_model import SmokeRequest

GOOD = outcome()
BAD = outcome(("gw-2", "tme"), ("", "rollout"), not_checked=("policies is forbidden", "the path"))


def suite(found: VerifyOutcome) -> ElementTree.Element:
    """The one test suite of the JUnit report, whose counts are right."""
    root = ElementTree.fromstring(formatted(found, "junit").partition("\n")[2])
    (one,) = root
    for kind, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert root.attrib[kind] == one.attrib[kind] == str(len(list(one.iter(element))))
    assert root.attrib["tests"] == one.attrib["tests"] == str(len(one.findall("testcase")))
    return one


def test_junit_has_a_test_for_each_check_of_each_pod() -> None:
    found = suite(GOOD)
    cases = [(case.attrib["classname"], case.attrib["name"]) for case in found.findall("testcase")]
    assert len(cases) == len(set(cases)) == 9
    assert ("gw/edge-kong", "rollout") in cases and ("gw/edge-kong/gw-2", "tme") in cases
    assert (found.attrib["name"], found.attrib["failures"]) == ("gw/edge-kong", "0")
    assert found.findtext("system-out") == "note: mind this"


def test_junit_has_failures_and_what_was_not_checked() -> None:
    failed = {
        case.attrib["classname"]: case for case in suite(BAD).findall("testcase") if case.find("failure") is not None
    }
    assert set(failed) == {"gw/edge-kong", "gw/edge-kong/gw-2"}
    failure = failed["gw/edge-kong/gw-2"].find("failure")
    assert failure is not None and failure.attrib == {"message": "bad tme"}
    assert failure.text == "expected: good tme\nfound:    bad tme\nfix:      `kubectl get tme`"
    skipped = [(case.attrib["name"], item.attrib["message"]) for case in suite(BAD) for item in case.iter("skipped")]
    assert skipped == [("not checked", "policies is forbidden"), ("not checked (2)", "the path")]


def test_junit_of_a_verification_that_could_not_run() -> None:
    (case,) = suite(VerifyOutcome(error="away")).findall("testcase")
    error = case.find("error")
    assert error is not None and error.attrib["message"] == "away"


def test_the_markdown() -> None:
    text = formatted(BAD, "markdown")
    assert text.startswith("### &#9888;&#65039; Verification of <code>gw/edge-kong</code>: NOT AS CONFIGURED\n")
    assert "Exit code 1: a check does not hold" in text
    assert "| <code>gw-2</code> | <code>ok</code> | <code>ok</code> | <code>FAILED</code> |" in text
    assert "**The gateway: <code>rollout</code> does not hold**" in text
    assert "- <code>policies is forbidden</code>" in text and "kubectl get tme" in html.unescape(text)
    good = formatted(GOOD, "markdown")
    assert good.startswith("### Verification of <code>gw/edge-kong</code>: protected\n") and "does not hold" not in good


def test_the_heading_of_the_markdown_has_a_request_that_failed() -> None:
    passed, failed = (
        formatted(dataclasses.replace(GOOD, smoke=smoke(judged(code))), "markdown") for code in (200, 502)
    )
    assert failed.splitlines()[0].endswith(": protected, but a request through Kong failed")
    assert passed.splitlines()[0].endswith(": protected")


def test_a_long_markdown_is_cut() -> None:
    many = dataclasses.replace(report(("gw-1", "tme"), found="x" * 5000), not_checked=("y" * 500,) * 100)
    text = formatted(VerifyOutcome(report=many), "markdown")
    assert len(text) <= markdown_output.LIMIT + len(markdown_output.OMITTED) + 1
    assert text.endswith(markdown_output.OMITTED) and "NOT AS CONFIGURED" in text


def test_the_json() -> None:
    document = json.loads(formatted(BAD, "json"))
    assert (document["ok"], document["exit_code"], document["verdict"]) == (False, 1, "NOT AS CONFIGURED")
    assert document["not_checked"] == ["policies is forbidden", "the path"]
    assert json.loads(formatted(VerifyOutcome(error="away"), "json")) == {"ok": False, "exit_code": 2, "error": "away"}


SECRET = SmokeRequest(method="GET", target="/", headers=(("Authorization", "Bearer planted-token"),))
WITH_SMOKE = dataclasses.replace(
    GOOD, smoke=smoke(judged(200, "hello"), judged(502, "planted-token", request=SECRET), judged(404, HOSTILE))
)


@pytest.mark.parametrize("output", FORMATS)
def test_the_requests_are_in_every_format(output: str) -> None:
    text = html.unescape(formatted(WITH_SMOKE, output))
    for part in ("GET", "/orders", "200", "hello", "12", "X-Kong-Upstream-Latency", "8", "failed", "HTTP 502"):
        assert part in text, part
    assert "planted" not in text


def test_junit_has_a_test_for_each_request() -> None:
    cases = [case for case in suite(WITH_SMOKE).findall("testcase") if "/smoke/" in case.attrib["classname"]]
    assert [case.attrib["name"] for case in cases] == ["GET /orders", "GET /", "GET /orders (2)"]
    assert [len(list(case.iter("failure"))) for case in cases] == [0, 1, 0]
    assert cases[0].attrib["time"] == "0.012"


HOSTILE_OUTCOMES = [
    VerifyOutcome(error=HOSTILE),
    VerifyOutcome(
        report=dataclasses.replace(
            report(("gw-1", "tme"), found=HOSTILE, not_checked=(HOSTILE,)),
            name=f"gw/{HOSTILE}",
            notes=(HOSTILE,),
            warnings=(HOSTILE,),
            cause=HOSTILE,
        ),
        smoke=smoke(judged(200, HOSTILE)),
    ),
]


@pytest.mark.parametrize("found", HOSTILE_OUTCOMES)
def test_foreign_text_breaks_no_format(found: VerifyOutcome) -> None:
    suite(found)
    for output in FORMATS:
        text = formatted(found, output)
        assert all(char.isprintable() or char == "\n" for char in text), output
        assert output == "table" or text.isascii(), "whatever the encoding of the output is"
    markdown = formatted(found, "markdown")
    assert not re.search(r"[`@#|]|<b>|\]\]", re.sub(r"&#\d+;|^###|^\|.*\|$", "", markdown, flags=re.MULTILINE))
    widths = {line.count("|") for line in markdown.splitlines() if line.startswith("|")}
    assert widths <= {7}, "no cell ends a cell"
    assert json.loads(formatted(found, "json"))["ok"] is False
