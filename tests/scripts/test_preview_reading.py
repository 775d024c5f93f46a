"""How the steps of a preview are read, with small examples."""

from typing import Any

import pytest

from scripts.preview_reading import COMPONENT, NO_SAMES, SECRET_SIGNATURE, UNKNOWN_VALUE, abbreviated, read
from tests.scripts.preview_steps import FILES, PATCH, RELEASE, component, preview, step, urn


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


def test_of_an_unknown_object_the_old_leaves_are_shown() -> None:
    shown = only_fields(step("update", old={"a": {"b.c": "1"}}, new={"a": UNKNOWN_VALUE, "new": UNKNOWN_VALUE}))
    assert shown == [('a["b.c"]', "1", "[known after the update]"), ("new", None, "[known after the update]")]


@pytest.mark.parametrize("path", ["data.token", 'data["token"]'])
def test_a_changed_secret_is_found_by_the_detailed_diff(path: str) -> None:
    inputs = {"data": "[secret]", "kind": "Secret"}
    changed = step("update", old=inputs, new=inputs, detailedDiff={path: {"kind": "update"}})
    assert only_fields(changed) == [(path, "[secret]", "[secret]")]


def test_a_provider_without_a_detailed_diff_names_properties() -> None:
    inputs = {"token": "[secret]", "mode": "a"}
    changed = step("update", old=inputs, new={**inputs, "mode": "b"}, diffReasons=["token", "mode", "__provider"])
    assert only_fields(changed) == [("mode", "a", "b"), ("token", "[secret]", "[secret]")]


def test_a_field_is_shown_once_however_its_path_is_written() -> None:
    changed = step("update", old={"a": {"b.c": 1}}, new={"a": {"b.c": 2}}, detailedDiff={"a.b.c": {}, "a": {}})
    assert only_fields(changed) == [('a["b.c"]', "1", "2")]


def test_components_and_the_steps_of_a_replacement_are_no_changes() -> None:
    whole = step("create", new={"a": 1}, types=("team:index:Platform",))
    whole["newState"]["custom"] = False
    parts = [step("create-replacement", old={}, new={"a": 1}), step("delete-replaced", old={"a": 1})]
    assert preview(whole, *parts, step("same", old={"a": 1}, new={"a": 1})).changes == ()


@pytest.mark.parametrize("op", ["read", "discard"])
def test_what_is_only_read_is_no_change(op: str) -> None:
    assert preview(step(op, old={"a": 1}, new={})).changes == ()


def test_what_stays_in_the_cluster_is_only_forgotten() -> None:
    kept = step("delete", old={"a": 1})
    kept["oldState"]["retainOnDelete"] = True
    (change,) = preview(kept).changes
    assert (change.op, change.fields[0].old) == ("forget", "1")


def test_a_resource_belongs_to_the_component_around_it() -> None:
    found = preview(
        *component(("update", RELEASE, {"a": 1}, {"a": 2}), name="edge"),
        *component(("update", FILES, {"a": 1}, {"a": 2}), name="inner", below=("team:index:Platform",)),
        step("update", old={"a": 1}, new={"a": 2}, name="edge-dns"),
        step("update", old={"a": 1}, new={"a": 2}, types=RELEASE[1:], name="traceable-gateway-release"),
    )
    inner = urn(("team:index:Platform", COMPONENT), "inner")
    assert [change.component for change in found.changes] == [urn((COMPONENT,), "edge"), inner, None, None]


def test_a_deletion_has_the_name_that_an_alias_has_replaced() -> None:
    first, *rest = component(name="new")
    old, *parts = component(("delete", PATCH, {"a": 1}, None), op="delete", name="old")
    first["oldState"]["urn"] = old["urn"]
    (change,) = preview(first, *rest, *parts).changes
    assert change.component == urn((COMPONENT,), "new")


def test_without_what_does_not_change_it_is_not_known_whose_a_change_is() -> None:
    _, *lacking = component(("update", RELEASE, {"a": 1}, {"a": 2}))
    assert preview(*lacking).errors == (NO_SAMES,)
    assert preview(step("update", old={"a": 1}, new={"a": 2})).errors == ()


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
    recorded, live = {"a": "1"}, {"a": "2"}
    found = preview(
        step("refresh", old=recorded, new=live),
        step("update", old=live, new=recorded),
        step("refresh", old={"a": "1"}, new={"a": "2"}, name="other"),
    )
    assert [(change.op, change.name) for change in found.changes] == [("update", "it")]
