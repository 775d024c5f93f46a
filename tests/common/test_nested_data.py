"""Merging, digests and secret leaves."""

from pydantic import SecretStr

from traceable_kong.common.nested_data import digest, merged


def test_maps_are_merged_and_everything_else_is_replaced() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merged(base, {"a": {"c": [3]}, "d": {"e": 1}}) == {"a": {"b": 1, "c": [3]}, "d": {"e": 1}}
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 1}


def test_falsy_values_replace_too() -> None:
    assert merged({"a": 1, "b": True, "c": "x"}, {"a": 0, "b": False, "c": None}) == {"a": 0, "b": False, "c": None}


def test_a_digest_depends_on_content_only() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})


def test_a_digest_does_not_depend_on_secrets() -> None:
    assert digest({"token": SecretStr("one")}) == digest({"token": SecretStr("two")})
