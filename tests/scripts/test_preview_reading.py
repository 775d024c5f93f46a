"""How the steps of a preview are read, with small examples."""

import json
from typing import Any

import pytest

from scripts.preview_reading import RECORD, SECRET_SIGNATURE, UNKNOWN_VALUE, Preview, abbreviated, read

PATCH = "traceable-tme-pod-annotation"
WANTED = {"spec": {"template": {"metadata": {"annotations": {"a": "1"}}}}}
OTHER = {"spec": {"template": {"metadata": {"annotations": {"a": "2"}}}}}


def step(op: str, *, old: Any = None, new: Any = None, name: str = "it", **more: Any) -> dict[str, Any]:
    states = {
        which: {"custom": True, "type": "kubernetes:core/v1:ConfigMap", "inputs": inputs}
        for which, inputs in (("oldState", old), ("newState", new))
        if inputs is not None
    }
    return {"op": op, "urn": f"urn:pulumi:dev::p::t::{name}", **states, **more}


def preview(*steps: dict[str, Any], **more: Any) -> Preview:
    return read(json.dumps({"steps": steps, **more}))


def only_fields(changed: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    (change,) = preview(changed).changes
    return [(field.path, field.old, field.new) for field in change.fields]


def test_leaves_are_compared_one_by_one() -> None:
    old = {"a": {"b": 1, "same": True}, "list": ["x", "y"], "__defaults": ["1"]}
    new = {"a": {"b": 2, "same": True, "c.d": ""}, "list": ["x"], "__defaults": ["2"]}
    assert only_fields(step("update", old=old, new=new)) == [
        ("a.b", "1", "2"),
        ('a["c.d"]', None, '""'),
        ("list[1]", "y", None),
    ]


def test_a_number_and_its_text_differ() -> None:
    assert only_fields(step("update", old={"a": 403}, new={"a": "403"})) == [("a", "403", '"403"')]


def test_an_encrypted_value_is_a_secret_too() -> None:
    old, new = ({"a": {SECRET_SIGNATURE: "1b47", "ciphertext": text}} for text in ("old", "new"))
    assert only_fields(step("update", old=old, new=new)) == [("a", "[secret]", "[secret]")]


def test_an_unknown_value_is_shown_as_one() -> None:
    shown = only_fields(step("update", old={"a": "1"}, new={"a": UNKNOWN_VALUE}))
    assert shown == [("a", "1", "[known after the update]")]


@pytest.mark.parametrize("path", ["data.token", 'data["token"]'])
def test_a_changed_secret_is_found_by_the_detailed_diff(path: str) -> None:
    inputs = {"data": "[secret]", "kind": "Secret"}
    changed = step("update", old=inputs, new=inputs, detailedDiff={path: {"kind": "update"}})
    assert only_fields(changed) == [(path, "[secret]", "[secret]")]


def test_a_field_is_shown_once_however_its_path_is_written() -> None:
    changed = step("update", old={"a": {"b.c": 1}}, new={"a": {"b.c": 2}}, detailedDiff={"a.b.c": {}, "a": {}})
    assert only_fields(changed) == [('a["b.c"]', "1", "2")]


def test_components_and_the_steps_of_a_replacement_are_no_changes() -> None:
    component = step("create", new={"a": 1})
    component["newState"]["custom"] = False
    parts = [step("create-replacement", old={}, new={"a": 1}), step("delete-replaced", old={"a": 1})]
    assert preview(component, *parts, step("same", old={"a": 1}, new={"a": 1})).changes == ()


@pytest.mark.parametrize(
    ("steps", "rollouts"),
    [
        ([step("create", name="traceable-gateway-release", new={"values": {}})], 1),
        ([step("replace", name="traceable-gateway-release", old={"name": "a"}, new={"name": "b"})], 1),
        ([step("update", name="traceable-gateway-release", old={"values": {"a": 1}}, new={"values": {"a": 2}})], 1),
        ([step("update", name="traceable-gateway-release", old={"version": "1"}, new={"version": "2"})], 1),
        ([step("update", name="traceable-gateway-release", old={"timeout": 1}, new={"timeout": 2})], 0),
        ([step("delete", name="traceable-gateway-release", old={"values": {}})], 0),
        ([step("update", name="traceable-agent-release", old={"values": {"a": 1}}, new={"values": {"a": 2}})], 0),
        ([step("create", name=PATCH, new=WANTED)], 1),
        ([step("create", name=PATCH, new={})], 0),
        ([step("update", name=PATCH, old=WANTED, new={})], 1),
        ([step("update", name=PATCH, old={}, new=WANTED)], 1),
        ([step("update", name=PATCH, old=WANTED, new=OTHER)], 1),
        ([step("update", name=PATCH, old={"a": 1, **WANTED}, new={"a": 2, **WANTED})], 0),
        ([step("delete", name=PATCH, old=WANTED)], 0),
        ([step("same", name=PATCH, old=WANTED, new=WANTED)], 0),
    ],
)
def test_rollouts(steps: list[dict[str, Any]], rollouts: int) -> None:
    assert len(preview(*steps).rollouts) == rollouts


@pytest.mark.parametrize(
    ("old", "new", "rollouts"),
    [
        (None, {"files": {"/opt": "a"}, "timeoutSeconds": 60}, 1),
        ({"files": {"/opt": "a"}}, {"files": {"/opt": "b"}}, 1),
        ({"files": {"/opt": "a"}}, None, 1),
        ({"files": {"/opt": "a"}, "timeoutSeconds": 60}, {"files": {"/opt": "a"}, "timeoutSeconds": 90}, 0),
    ],
)
def test_rollouts_of_an_existing_kong(old: Any, new: Any, rollouts: int) -> None:
    op = "create" if old is None else "delete" if new is None else "update"
    assert len(preview(step(op, name="traceable-gateway-files", old=old, new=new)).rollouts) == rollouts


@pytest.mark.parametrize(
    ("op", "old", "new", "guard"),
    [
        ("create", None, ["Deny"], ("off", "deny")),
        ("update", ["Deny"], ["Warn", "Audit"], ("deny", "warn")),
        ("delete", ["Warn", "Audit"], None, ("warn", "off")),
        ("update", ["Deny"], ["Deny"], None),
        ("same", ["Deny"], ["Deny"], None),
        ("delete-replaced", ["Deny"], None, None),
    ],
)
def test_the_action_of_the_admission_policy(op: str, old: Any, new: Any, guard: tuple[str, str] | None) -> None:
    before, after = (actions and {"spec": {"validationActions": actions}} for actions in (old, new))
    assert preview(step(op, name="traceable-tme-guard-binding", old=before, new=after)).guard == guard


def test_the_entries_come_from_the_record_or_the_outputs() -> None:
    stack = step("same", old={}, new={})
    stack["oldState"] |= {"type": "pulumi:pulumi:Stack", "custom": False, "outputs": {"mode": "sync", "enabled": True}}
    assert preview(stack).now == preview(stack).then == {"mode": "sync", "enabled": "true"}
    record = step(
        "update", name="traceable-installation-record", old={"data": {"mode": "a"}}, new={"data": {"mode": "b"}}
    )
    changed = preview(stack, record)
    assert (changed.now, changed.then) == ({"mode": "a"}, {"mode": "b"})
    gone = preview(stack, step("delete", name="traceable-installation-record", old={"data": {"mode": "a"}}))
    assert (gone.now, gone.then) == ({"mode": "a"}, {})


@pytest.mark.parametrize("text", ["", "error: no such stack", "[]"])
def test_a_preview_without_json_fails_with_its_error_output(text: str) -> None:
    failed = read(text, error_output="error: incorrect passphrase\n")
    assert (failed.failed, failed.errors) == (True, ("error: incorrect passphrase",))


def test_an_exit_code_alone_is_a_failure() -> None:
    failed = read("{}", exit_code=255)
    assert failed.failed
    assert failed.errors == ("pulumi preview failed with exit code 255 and printed nothing.",)


def test_diagnostics_by_severity() -> None:
    said = [{"severity": severity, "message": f"{severity}\n"} for severity in ("error", "warning", "info", "info#err")]
    found = preview(diagnostics=said)
    assert (found.failed, found.errors, found.warnings, found.notes) == (
        True,
        ("error",),
        ("warning",),
        ("info", "info#err"),
    )


@pytest.mark.parametrize("text", ["x y." * 20, "a" * 64, "0123456789abcdef" * 4, "kubernetes: fine", "é"])
def test_short_text_is_not_abbreviated(text: str) -> None:
    assert abbreviated(text) == text


@pytest.mark.parametrize(
    "text", ["x y" * 27, "two\nlines", "\x00\x01", "U2VjcmV0IGJpbmFyeSBkYXRhIG9mIGEgZmlsZSBoZXJl+w=="]
)
def test_other_text_becomes_length_and_digest(text: str) -> None:
    short = abbreviated(text)
    assert text not in short
    assert short.startswith(f"({len(text)} characters") and "sha256 " in short


def test_a_refresh_is_not_a_change() -> None:
    """With --refresh, the step of a change has the cluster's state as the old one; a step `refresh` comes before it."""
    recorded, live = ({"data": {"mode": mode, "enabled": "true"}} for mode in ("sync", "async"))
    found = preview(
        step("refresh", old=recorded, new=live, name=RECORD),
        step("update", old=live, new=recorded, name=RECORD),
        step("refresh", old={"a": "1"}, new={"a": "2"}),
    )
    assert [(change.op, change.name) for change in found.changes] == [("update", RECORD)]
    assert found.then is not None
    assert (found.now["mode"], found.then["mode"]) == ("async", "sync")
