"""Merging, digests and secret leaves."""

import pytest
from pydantic import SecretStr

from traceable_kong.common.nested_data import digest, hidden, keyed_digest, leaves, merged, revealed, secret_leaves


def test_maps_are_merged_and_everything_else_is_replaced() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert merged(base, {"a": {"c": [3]}, "d": {"e": 1}}) == {"a": {"b": 1, "c": [3]}, "d": {"e": 1}}
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": 1}


def test_falsy_values_replace_too() -> None:
    assert merged({"a": 1, "b": True, "c": "x"}, {"a": 0, "b": False, "c": None}) == {"a": 0, "b": False, "c": None}


def test_a_digest_depends_on_content_only() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})


def test_a_keyed_digest_cannot_be_computed_without_the_key() -> None:
    values = {"token": "one", "n": 1}
    assert keyed_digest(values, "key") == keyed_digest({"n": 1, "token": "one"}, "key")
    assert len({keyed_digest(values, "key"), keyed_digest(values, "another"), digest(values)}) == 3
    assert keyed_digest(values, "key") != keyed_digest({**values, "token": "two"}, "key")


def test_a_digest_of_a_hidden_value_is_refused() -> None:
    with pytest.raises(TypeError):
        digest({"token": SecretStr("one")})


DATA = {"a": [1, {"b": "x"}], "off": False, "none": None, "empty": {}}
LEAVES = {("a", 0), ("a", 1, "b"), ("off",)}


def test_hiding_and_revealing_are_inverse_and_keep_types() -> None:
    made = hidden(DATA, lambda path: True)
    assert secret_leaves(made) == LEAVES
    assert revealed(made) == DATA
    assert made["off"].get_secret_value() is False


def test_only_the_leaves_asked_for_are_hidden() -> None:
    made = hidden(DATA, {("a", 1, "b")}.__contains__)
    assert made == {**DATA, "a": [1, {"b": SecretStr("x")}]}
    assert list(dict(leaves(made))) == [("a", 0), ("a", 1, "b"), ("off",), ("none",)]
