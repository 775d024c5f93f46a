"""No text of a preview breaks out of the comment, and the comment is never too long."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.preview_comment import LIMIT, OMITTED, WARNING, code, comment, escaped, marker, pre
from scripts.preview_reading import RECORD, read
from tests.fakes.plans import plan
from tests.scripts.recorded import CLONE, PREVIEWS
from traceable_kong.plan.state_record import record_data

HOSTILE = [
    "`code`",
    "a | b",
    "<!-- traceable-kong preview: dev -->",
    "--> @everyone",
    "</pre></code></details><script>alert(1)</script>",
    "[click](https://example.com) ![](https://example.com/x.png)",
    "**bold** _it_ ~~gone~~ #1 :tada:",
    "&lt;b&gt; &#64;team",
    "line\r\n\n| x |\n# title",
    "\u202eevil\x00\x1b[31m",
]
OURS = re.compile(r"</?(?:code|pre|details|summary)>|\*\*|^### |^\|(?:---\|)+$", re.MULTILINE)


def document(text: str, *, op: str = "update") -> dict[str, Any]:
    """A preview with `text` wherever a preview can carry it."""
    state = {"custom": True, "type": f"kubernetes:core/v1:{text}", "inputs": {text: text, "list": [{text: f"{text}!"}]}}
    changed = {"op": op, "urn": f"urn:pulumi:dev::p::t::{text}", "detailedDiff": {text: {}}, "replaceReasons": [text]}
    states = {"create": ("newState",), "delete": ("oldState",)}.get(op, ("newState", "oldState"))
    record = {"custom": True, "type": "r", "inputs": {"data": {"mode": text, "rockVersion": text, "enabled": text}}}
    guard = {"custom": True, "type": "g", "inputs": {"spec": {"validationActions": [text]}}}
    return {
        "steps": [
            {**changed, **dict.fromkeys(states, state)},
            {"op": "update", "urn": "urn::traceable-installation-record", "newState": record, "oldState": record},
            {"op": "create", "urn": "urn::traceable-tme-guard-binding", "newState": guard},
        ],
        "diagnostics": [{"severity": severity, "message": text} for severity in ("warning", "info")],
    }


def leftovers(text: str) -> str:
    """A comment without its first line, our own words and what was escaped."""
    body = text.split("\n", 1)[1]
    return re.sub(r"&#\d+;", "", OURS.sub("", body).replace(WARNING, ""))


def assert_holds_together(text: str) -> None:
    assert len(text) <= LIMIT
    assert text.count("<!--") == 1
    for tag in ("code", "pre", "details", "summary"):
        assert text.count(f"<{tag}>") == text.count(f"</{tag}>")
    assert not set(leftovers(text)) & set("`<>@[]&*#!\\")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} <= {3, 4, 6}, "one row, one line, as many cells as its head has"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("op", ["create", "update", "replace", "delete"])
def test_nothing_breaks_out(text: str, op: str) -> None:
    assert_holds_together(comment(read(json.dumps(document(text, op=op))), stack="dev"))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_breaks_out_of_an_error(text: str) -> None:
    assert_holds_together(comment(read("", error_output=text), stack="dev"))


@given(text=st.text(min_size=1), op=st.sampled_from(["create", "update", "replace", "delete", "import"]))
def test_no_text_breaks_out(text: str, op: str) -> None:
    assert_holds_together(comment(read(json.dumps(document(text, op=op))), stack="dev"))


def many(count: int) -> str:
    states = {"newState": {"custom": True, "type": "a:b:C", "inputs": {f"k{n}": "|" * 70 for n in range(20)}}}
    steps = [
        {"op": op, "urn": f"urn::{op}-{number}", **states} for number in range(count) for op in ("update", "create")
    ]
    removed = [
        {"op": "delete", "urn": f"urn::gone-{n}" + "@" * 300, "oldState": {"custom": True}} for n in range(count)
    ]
    errors = [
        {"severity": "error", "message": "<" * 9_000},
        *({"severity": "warning", "message": "é" * 5_000},) * count,
    ]
    return json.dumps({"steps": [*steps, *removed], "diagnostics": errors})


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 200])
def test_a_long_comment_is_shortened_between_rows(count: int) -> None:
    text = comment(read(many(count)), stack="dev")
    assert_holds_together(text.removesuffix(OMITTED))
    assert text.endswith(OMITTED) is (count > 1)
    assert len(text.encode()) <= LIMIT


def test_the_comment_uses_the_limit() -> None:
    values = {f"key-{number:04}": "x" for number in range(3_000)}
    steps = [{"op": "update", "urn": "urn::it", "newState": {"custom": True, "type": "t", "inputs": values}}]
    text = comment(read(json.dumps({"steps": steps})), stack="dev")
    assert LIMIT - 200 < len(text) <= LIMIT


def test_an_ordinary_comment_is_complete() -> None:
    assert OMITTED not in comment(read((PREVIEWS / "fresh-sync.json").read_text()), stack="dev")


def test_a_long_message_keeps_its_beginning() -> None:
    assert "(5000 characters in all)".replace("(", "&#40;").replace(")", "&#41;") in pre("x" * 5_000)


def test_a_long_name_keeps_its_beginning() -> None:
    assert code("n" * 201) == f"<code>{'n' * 200}...</code>"


def test_invisible_characters_become_escapes() -> None:
    assert escaped("\u202e\x00") == "&#92;u202e&#92;x00"


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"installed": False, "enabled": False}, "nothing changes (protection not installed)"),
        ({"gateway": False}, "nothing changes (protection no gateway here)"),
        (
            {"installed": True, "enabled": False, "mode": "sync", "rockVersion": "2.1.2-1", "pluginVersion": "2.1.2"},
            "nothing changes (mode sync, plugin version 2.1.2-1, protection disabled)",
        ),
    ],
)
def test_without_changes_it_shows_the_current_state(outputs: dict[str, Any], said: str) -> None:
    stack = {"type": "pulumi:pulumi:Stack", "outputs": outputs}
    text = comment(read(json.dumps({"steps": [{"op": "same", "urn": "urn::s", "oldState": stack}]})), stack="dev")
    assert said in re.sub(r"</?code>", "", text)


def test_many_deletes_are_counted() -> None:
    steps = [{"op": "delete", "urn": f"urn::it-{n}", "oldState": {"custom": True}} for n in range(13)]
    text = comment(read(json.dumps({"steps": steps})), stack="dev")
    assert "<code>it-9</code> and 3 more.**" in text


def test_the_command_line(tmp_path: Path) -> None:
    errors = tmp_path / "preview.err"
    errors.write_text("error: no stack named 'dev' found")
    (tmp_path / "preview.json").write_text("")
    command = [sys.executable, "-m", "scripts.preview_comment", "--stack", "dev", "--exit-code", "255"]
    done = subprocess.run(
        [*command, "--errors", str(errors), str(tmp_path / "preview.json")],
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0] == marker("dev")
    assert "no stack named" in done.stdout


def test_the_record_of_the_program_has_what_a_comment_shows() -> None:
    now, then = (record_data(plan(mode=mode)) for mode in ("sync", "async"))
    step = {
        "op": "update",
        "urn": f"urn::{RECORD}",
        "oldState": {"custom": True, "inputs": {"data": now}},
        "newState": {"custom": True, "inputs": {"data": then}},
    }
    text = re.sub(r"</?code>", "", comment(read(json.dumps({"steps": [step]})), stack="dev"))
    assert "| mode | sync | **async** |" in text
    assert "| plugin version | 2.1.2-1 | 2.1.2-1 |" in text
    assert "| protection | enabled | enabled |" in text
