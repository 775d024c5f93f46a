"""Foreign text is shown on one line, without effect on a terminal or on Pulumi's engine, and without secrets."""

import binascii
import http.client
import json
import ssl

import pytest
import yaml

from traceable_kong.common.foreign_documents import json_document
from traceable_kong.common.safe_text import PlainError, kind_of, printable, printable_lines, without_quoted
from traceable_kong.common.urls import without_credentials

MARKER = "hunter2-marker"

PLANTED = "first\x1b[2J\x9b31m\r\nerror: forged\u2028line\u202eturned\u200bwide\x00\x7f\ttab <{%fg 9%}> \ue000"


def test_planted_text_has_no_effect() -> None:
    seen = printable(PLANTED)
    assert seen.isprintable()
    assert "<{%" not in seen and "%}>" not in seen
    assert seen.startswith("first\\x1b[2J\\x9b31m error: forged line\\u202eturned\\u200bwide\\x00\\x7f tab")


@pytest.mark.parametrize(
    "text", ["", "plain", "  indented, with a `command --option 'a b'`", "größer 中文", "100 % {x}"]
)
def test_visible_text_is_unchanged(text: str) -> None:
    assert printable(text) == text


def test_overlapping_tags_leave_none() -> None:
    for tag in ("<{%", "%}>", "<{%}>", "<<{%%}>>", "<{%<{%reset%}>%}>"):
        assert "<{%" not in printable(tag) and "%}>" not in printable(tag)


def test_lines_stay_lines() -> None:
    assert printable_lines(["a\nb", "", "  c"]) == "a b\n\n  c"


def test_an_error_is_one_line() -> None:
    assert str(PlainError("a\nb\x1b")) == "a b\\x1b"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://user:{MARKER}@host:6443/x", "https://host:6443/x"),
        (f"http://user:a/{MARKER}@host", "http://host"),
        (f"//{MARKER}@host", "//host"),
        ("https://host:6443", "https://host:6443"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, expected: str) -> None:
    assert without_credentials(url) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            f"error: cannot unmarshal !!str `{MARKER}` into v1.Config",
            'error: cannot unmarshal !!str "..." into v1.Config',
        ),
        (
            f'Secret "a" is invalid: data[b]: Invalid value: "{MARKER}\\"{MARKER}"',
            'Secret "..." is invalid: data[b]: Invalid value: "..."',
        ),
        (f"no such 'x\n{MARKER}' there", 'no such "..." there'),
        ("timed out waiting for the condition", "timed out waiting for the condition"),
    ],
)
def test_quoted_parts_are_removed(said: str, expected: str) -> None:
    assert without_quoted(said) == expected


def _raised(what: str) -> BaseException:
    try:
        if what == "yaml":
            yaml.safe_load(f"a: b\nuser: {{token: {MARKER}")
        elif what == "yaml tag":
            yaml.safe_load(f"a: !{MARKER} b")
        elif what == "yaml character":
            yaml.safe_load(f"a: {MARKER}\x00")
        elif what == "json":
            json.loads(f'{{"a": 1,\n "token": {MARKER}}}')
        elif what == "utf-8":
            (MARKER.encode() + b"\xff").decode()
        elif what == "latin-1":
            f"{MARKER}\u2019".encode("latin-1")
        elif what == "certificate":
            ssl.create_default_context().load_verify_locations(cadata=MARKER)
        elif what == "file":
            open(f"/nowhere/{MARKER}")  # noqa: PTH123, SIM115
        elif what == "HTTP":
            raise http.client.BadStatusLine(MARKER)
        elif what == "deep":
            json_document("[" * 300 + "]" * 300)
        elif what == "deeper":
            json.loads("[" * 100_000)
        elif what == "base64":
            raise binascii.Error(MARKER)
        else:
            raise KeyError(MARKER)
    except Exception as problem:
        return problem
    raise AssertionError


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("yaml", "it is not YAML (line 2)"),
        ("yaml tag", "it is not YAML (line 1)"),
        ("yaml character", "it is not YAML"),
        ("json", "it is not JSON (line 2)"),
        ("utf-8", "a value in it is not text that can be decoded or sent"),
        ("latin-1", "a value in it is not text that can be decoded or sent"),
        ("file", "No such file or directory"),
        ("HTTP", "its response is not HTTP, or ends too early"),
        ("base64", "a value in it is not base64"),
        ("deep", "it is nested too deep"),
        ("deeper", "it is nested too deep"),
        ("key", "KeyError"),
        ("certificate", None),
    ],
)
def test_an_exception_is_described_and_not_quoted(what: str, expected: str | None) -> None:
    said = kind_of(_raised(what))
    assert MARKER not in said
    assert expected is None or said == expected
