"""Documents of another party: their types, their depth, and what they repeat."""

import pytest

from traceable_kong.common.foreign_documents import MAX_DEPTH, UnreadableDocument, json_document, yaml_document


def test_a_date_is_text() -> None:
    text = "a: 2020-01-01\nb: 2020-01-01T00:00:00Z\n2020-01-01: c\n"
    assert yaml_document(text) == {"a": "2020-01-01", "b": "2020-01-01T00:00:00Z", "2020-01-01": "c"}


def test_a_document_may_repeat_its_values() -> None:
    text = "a: &a {x: 1, y: [2]}\nb: {<<: *a, y: 3}\nc: [*a, *a]\n"
    assert yaml_document(text) == {
        "a": {"x": 1, "y": [2]},
        "b": {"x": 1, "y": 3},
        "c": [{"x": 1, "y": [2]}, {"x": 1, "y": [2]}],
    }


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "a: !!set {b, c}",
        "{!!python/tuple a: b}",
        "[[a]: b]",
        "a: &a [" + "x, " * 300 + "]\nb: [" + "*a, " * 300 + "]",
        "a: &a {" + "".join(f"x{n}: 1, " for n in range(300)) + "}\nb: {<<: [" + "*a, " * 300 + "]}",
    ],
)
def test_what_is_no_json_or_repeats_too_much_is_refused(text: str) -> None:
    with pytest.raises(Exception) as caught:
        yaml_document(text)
    assert type(caught.value).__name__ in ("UnreadableDocument", "ConstructorError", "ParserError")


def test_a_deep_document_is_refused() -> None:
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
        deep = MAX_DEPTH - 1
        assert json_document(opened * deep + b"1" + closed * deep)
        with pytest.raises(UnreadableDocument, match="it is nested too deep"):
            json_document(opened * (deep + 1) + b"1" + closed * (deep + 1))
