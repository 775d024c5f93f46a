"""Manifests are read as Go's YAML library reads them. The values were compared with `fromYaml` of Helm 3.21."""

from typing import Any

import pytest

from local.provider.kubernetes import manifest_documents
from local.provider.kubernetes.manifest_documents import ManifestError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("y", True), ("ON", True), ("No", False), ("n", False), ("tRue", "tRue")),
        *(("~", None), ("", None), ("Null", None), ("~a", "~a")),
        *(("2020-01-01", "2020-01-01"), ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00")),
        *(("1:30", "1:30"), ("1.2.3", "1.2.3"), ("=", "="), ("_1", "_1")),
        *(("1e3", 1000), ("1.5E-3", 0.0015), (".5", 0.5), ("5.", 5), ("1_000", 1000)),
        *(("0644", 420), ("-0644", -420), ("0o644", 420), ("089", 89), ("0x1F", 31), ("0b11", 3), ("+5", 5)),
        *(("!!str 12", "12"), ("!!binary aGVsbG8=", "hello"), ("'on'", "on")),
        *(("{80: a}", {"80": "a"}), ("{1.5: a}", {"1.5": "a"}), ("{on: a}", {"true": "a"})),
        ("{a: &x {b: 1}, c: {<<: *x, d: 2}}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    found = manifest_documents.parse(text)

    assert found == value
    assert isinstance(found, bool) is isinstance(value, bool)


def test_documents() -> None:
    text = "---\n# Source: a\na: 1\n--- # more\nb: |\n  --- x\n---\n---\nc: 3\n---\n"

    assert [manifest_documents.parse(each) for each in manifest_documents.split(text)] == [
        {"a": 1},
        {"b": "--- x\n"},
        {"c": 3},
    ]


def test_a_separator_with_content() -> None:
    with pytest.raises(ManifestError, match=r"^invalid Yaml document separator$"):
        manifest_documents.split("a: 1\n--- {b: 2}\n")


@pytest.mark.parametrize("text", ["[psst", "psst: {", "a: .inf", "? [psst]\n: x", "!psst x", "a: psst: b"])
def test_errors_have_no_content(text: str) -> None:
    with pytest.raises(ManifestError, match=r"^error converting YAML to JSON: ") as problem:
        manifest_documents.parse(text)

    assert text not in str(problem.value)
