"""Conversion of property values, with secrets and unknown values."""

from hypothesis import given
from hypothesis import strategies as st

from local.provider.property_values import (
    UNKNOWN,
    Secret,
    decode,
    encode,
    has_unknown,
    mark_secrets,
    mark_unknowns,
    plain,
)

_LEAVES = st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text() | st.just(UNKNOWN)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3) | inner.map(Secret)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5), _VALUES, max_size=4))
def test_encoding_is_reversible(values: dict[str, object]) -> None:
    assert decode(encode(values)) == values


def test_whole_numbers_are_integers() -> None:
    assert repr(decode(encode({"a": 1.0, "b": 1.5}))) == "{'a': 1, 'b': 1.5}"


def test_plain_has_no_secrets() -> None:
    assert plain({"a": Secret({"b": Secret(1)}), "c": [Secret(2)]}) == {"a": {"b": 1}, "c": [2]}


def test_unknown_values_are_found_in_secrets() -> None:
    assert has_unknown({"a": [Secret({"b": UNKNOWN})]})
    assert not has_unknown({"a": [Secret({"b": 1})]})


def test_secrets_are_marked_by_leaf_and_lists_as_a_whole() -> None:
    outputs = {"a": {"b": 1, "c": 2}, "list": [1, 2], "other": 3}
    inputs = {"a": {"b": Secret(1)}, "list": [1, Secret(2)], "missing": Secret(4)}

    assert mark_secrets(outputs, inputs) == {"a": {"b": Secret(1), "c": 2}, "list": Secret([1, 2]), "other": 3}


def test_data_of_a_secret_are_always_secret() -> None:
    assert mark_secrets({"kind": "Secret", "data": {"a": "b"}}, {}) == {"kind": "Secret", "data": Secret({"a": "b"})}


def test_unknown_inputs_make_unknown_outputs() -> None:
    assert mark_unknowns({"a": {"b": 1, "c": 2}, "d": [1, 2]}, {"a": {"b": UNKNOWN}, "d": [0, UNKNOWN]}) == {
        "a": {"b": UNKNOWN, "c": 2},
        "d": [1, UNKNOWN],
    }


def test_secrets_are_not_shown() -> None:
    assert "psst" not in repr(Secret("psst"))
