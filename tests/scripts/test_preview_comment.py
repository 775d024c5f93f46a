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
from scripts.preview_reading import read
from tests.fakes.plans import plan
from tests.scripts.preview_steps import BINDING, RECORD, RELEASE, component, preview, step
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
OURS = re.compile(r"</?(?:code|pre|details|summary)>|\*\*|^####? |^- |^\|(?:---\|)+$", re.MULTILINE)


def document(text: str, *, op: str = "update") -> dict[str, Any]:
    """A preview with `text` wherever a preview can carry it: a gateway, another one, and the rest of the program."""
    inputs = {text: text, "list": [{text: f"{text}!"}]}
    old, new = (None if op == none else inputs for none in ("create", "delete"))
    changed = step(op, old=old, new=new, name=text, types=(f"kubernetes:core/v1:{text}",), detailedDiff={text: {}})
    record = {"data": {"mode": text, "rockVersion": text, "enabled": text, "agentNamespace": text}}
    guard = {"spec": {"validationActions": [text]}}
    parts: list[Any] = [("update", RECORD, record, record), ("create", BINDING, None, guard), (op, RELEASE, old, new)]
    return {
        "steps": [
            {**changed, "replaceReasons": [text]},
            *component(*parts, name=text),
            *component(("same", RECORD, record, record), name=f"{text}!"),
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
    """Many gateways and other resources, of all sizes."""
    inputs = {f"k{n}": "|" * 70 for n in range(20)}
    steps = [step(op, new=inputs, name=f"{op}-{n}") for n in range(count) for op in ("update", "create")]
    steps += [step("delete", old={}, name=f"gone-{n}" + "@" * 300) for n in range(count)]
    for number in range(count):
        steps += component(("delete", RELEASE, {}, None), op="delete", name=f"{number}" + "|" * 300)
    errors = [*({"severity": "warning", "message": "é" * 5_000},) * count]
    return json.dumps({"steps": steps, "diagnostics": errors})


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 200])
def test_a_long_comment_is_shortened_between_rows(count: int) -> None:
    text = comment(read(many(count)), stack="dev")
    assert_holds_together(text.removesuffix(OMITTED))
    assert text.endswith(OMITTED) is (count > 1)
    assert len(text.encode()) <= LIMIT


def test_the_comment_uses_the_limit() -> None:
    values = {f"key-{number:04}": "x" for number in range(3_000)}
    text = comment(preview(step("update", new=values)), stack="dev")
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
    ("record", "said"),
    [
        (None, "nothing changes (protection not installed)"),
        ({"gateway": "false"}, "nothing changes (an agent without a gateway)"),
        (
            {"enabled": "false", "mode": "sync", "rockVersion": "2.1.2-1"},
            "nothing changes (mode sync, plugin version 2.1.2-1, protection disabled)",
        ),
    ],
)
def test_without_changes_it_shows_the_current_state(record: dict[str, str] | None, said: str) -> None:
    inputs = {"data": record}
    steps = component(*([("same", RECORD, inputs, inputs)] if record else []))
    assert said in plain(comment(preview(*steps), stack="dev"))


def plain(text: str) -> str:
    return re.sub(r"</?code>", "", text)


def test_many_deletes_are_counted() -> None:
    text = comment(preview(*(step("delete", old={}, name=f"it-{n}") for n in range(13))), stack="dev")
    assert "<code>it-9</code> and 3 more.**" in text


def test_only_a_program_with_more_than_one_gateway_has_headings() -> None:
    gateway = [*component(("update", RELEASE, {"values": {}}, {"values": {"a": 1}}))]
    dns = step("delete", old={}, name="dns")
    one, other, several = (
        plain(comment(preview(*steps), stack="dev"))
        for steps in (gateway, [*gateway, dns], [*gateway, *component(name="inner")])
    )
    assert "####" not in one and "expect: **0 or 1**" in one
    assert "#### edge: 1 to update\n" in other
    assert f"#### The rest of the program: 1 to delete\n\n{WARNING} **This deletes dns.**\n" in other
    assert "- inner: nothing changes (protection not installed)\n" in plain(
        comment(preview(*component(name="inner"), dns), stack="dev")
    )
    assert "#### edge: 1 to update\n" in several and "\n- inner: nothing changes" in several
    assert "The rest" not in several


def test_a_program_without_a_gateway_says_nothing_of_one() -> None:
    text = plain(comment(preview(step("delete", old={}, name="dns")), stack="dev"))
    assert f"1 to delete\n\n{WARNING} **This deletes dns.**\n" in text
    assert "ateway" not in text and "####" not in text


def test_a_change_without_a_visible_field_says_so() -> None:
    inputs = {"config": "[secret]"}
    text = plain(comment(preview(step("update", old=inputs, new=inputs)), stack="dev"))
    assert "| update | ConfigMap it | the preview does not show what changes | | |\n" in text


def test_a_preview_that_does_not_know_the_arguments_claims_nothing() -> None:
    text = plain(comment(preview(*component(op="create", installed=False), step("create", new={})), stack="dev"))
    assert "not known before the update" in text
    assert "rollouts" not in text and "protection" not in text


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
    now, then = (record_data(plan(mode=mode, failMode=fail)) for mode, fail in (("sync", "closed"), ("async", "open")))
    steps = component(("update", RECORD, {"data": now}, {"data": then}))
    text = plain(comment(preview(*steps), stack="dev"))
    assert "| mode | sync | **async** |" in text
    assert "| plugin version | 2.1.2-1 | 2.1.2-1 |" in text
    assert "| protection | enabled | enabled |" in text
    assert "| failMode | closed | **open** |" in text
    same = component(("update", RECORD, {"data": now}, {"data": {**(now or {}), "mode": "async"}}))
    assert "| failMode |" not in plain(comment(preview(*same), stack="dev"))
