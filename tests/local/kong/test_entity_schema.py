"""Kong's validation errors for a plugin's options: for each rule an invalid and a valid value."""

from typing import Any

import pytest

from tests.local.kong.nodes import get, node, post_config, validation_errors


def of(field: str, value: Any) -> dict[str, str]:
    return validation_errors(node(config="fields = { { x = { " + field + " } } }"), {"x": value})


CASES = [
    ('type = "string"', "a", 1, "expected a string"),
    ('type = "string"', "a", "", "length must be at least 1"),
    ('type = "number"', 1.5, "1", "expected a number"),
    ('type = "number"', 1, True, "expected a number"),
    ('type = "integer"', 1, 1.5, "expected an integer"),
    ('type = "integer"', 2, True, "expected an integer"),
    ('type = "boolean"', False, "false", "expected a boolean"),
    ('type = "boolean"', True, 1, "expected a boolean"),
    ('type = "record", fields = {}', {}, "a", "expected a record"),
    ('type = "map", keys = { type = "string" }, values = { type = "number" }', {"a": 1}, "a", "expected a map"),
    (
        'type = "map", keys = { type = "string" }, values = { type = "number" }',
        {"a": 1},
        {"a": "b"},
        "expected a number",
    ),
    ('type = "array", elements = { type = "string" }', ["a"], "a", "expected an array"),
    ('type = "set", elements = { type = "string" }', ["a"], {"a": 1}, "expected a set"),
    ('type = "string", required = true', "a", None, "required field missing"),
    ('type = "string", one_of = { "sync", "async" }', "sync", "batch", "expected one of: sync, async"),
    ('type = "string", not_one_of = { "a", "b" }', "c", "b", "must not be one of: a, b"),
    ('type = "integer", between = { 1, 1024 }', 1024, 1025, "value should be between 1 and 1024"),
    ('type = "integer", between = { 1, 1024 }', 1, 0, "value should be between 1 and 1024"),
    ('type = "number", gt = 0', 1, 0, "value must be greater than 0"),
    ('type = "number", eq = 7', 7, 8, "value must be 7"),
    ('type = "number", ne = 7', 8, 7, "value must not be 7"),
    ('type = "string", len_min = 2', "ab", "a", "length must be at least 2"),
    ('type = "string", len_max = 2', "ab", "abc", "length must be at most 2"),
    ('type = "string", len_eq = 2', "ab", "abc", "length must be 2"),
    ('type = "string", starts_with = "/"', "/a", "a", "should start with: /"),
    ('type = "string", match = "^%u+$"', "GET", "get", "invalid value: get"),
    ('type = "string", not_match = "[%s%c]"', "a", "a b", "invalid value: a b"),
    ('type = "string", uuid = true', "0" * 8 + "-0000-0000-0000-" + "0" * 12, "x", "expected a valid UUID"),
    ('type = "string", match_none = { { pattern = "//", err = "no" } }', "/a", "//a", "no"),
    ('type = "array", elements = { type = "string" }, contains = "a"', ["a"], ["b"], "expected to contain: a"),
    ('type = "string", one_of = { "a" }, err = "of our own"', "a", "b", "of our own"),
]


@pytest.mark.parametrize(("field", "good", "bad", "message"), CASES)
def test_a_rule_of_a_field(field: str, good: Any, bad: Any, message: str) -> None:
    assert of(field, good) == {}
    assert of(field, bad) == {"config.x": message}


def test_an_unknown_option_is_rejected() -> None:
    assert validation_errors(node(config="fields = { { x = { type = 'string' } } }"), {"y": "a"}) == {
        "config.y": "unknown field"
    }


def test_errors_in_records_and_lists_have_their_full_path() -> None:
    kong = node(
        config="""fields = {
            { r = { type = "record", fields = { { t = { type = "number" } }, { u = { type = "string" } } } } },
            { l = { type = "array", elements = { type = "string" } } },
        }"""
    )
    found = validation_errors(kong, {"r": {"t": "a", "z": 1}, "l": ["a", 2]})
    assert found == {
        "config.r.t": "expected a number",
        "config.r.z": "unknown field",
        "config.l.2": "expected a string",
    }


def test_a_custom_validator_is_called() -> None:
    own = 'function(value) if value % 2 == 0 then return true end return nil, "is odd" end'
    assert of(f'type = "integer", custom_validator = {own}', 2) == {}
    assert of(f'type = "integer", custom_validator = {own}', 3) == {"config.x": "is odd"}


@pytest.mark.parametrize(
    ("typedef", "good", "bad", "message"),
    [
        ("url", "http://a/b", "a", "missing scheme in url"),
        ("url", "http://a/b", "http://", "missing host in url"),
        ("port", 65535, 65536, "value should be between 0 and 65535"),
        ("timeout", 0, -1, "value should be between 0 and 2147483646"),
        ("http_method", "GET", "get", "invalid value: get"),
        ("something_newer", "anything", None, None),
    ],
)
def test_types_of_kong(typedef: str, good: Any, bad: Any, message: str | None) -> None:
    kong = node(config=f"fields = {{ {{ x = require('kong.db.schema.typedefs').{typedef}({{ required = false }}) }} }}")
    assert validation_errors(kong, {"x": good}) == {}
    assert validation_errors(kong, {"x": bad}) == ({"config.x": message} if message else {})


@pytest.mark.parametrize(
    ("check", "good", "bad", "message"),
    [
        ("at_least_one_of", {"a": "1"}, {}, "at least one of these fields must be non-empty: 'a', 'b'"),
        ("only_one_of", {"a": "1"}, {"a": "1", "b": "1"}, "exactly one of these fields must be non-empty: 'a', 'b'"),
        ("mutually_required", {"a": "1", "b": "1"}, {"a": "1"}, "all or none of these fields must be set: 'a', 'b'"),
        (
            "mutually_exclusive",
            {"a": "1"},
            {"a": "1", "b": "1"},
            "only one or none of these fields must be set: 'a', 'b'",
        ),
    ],
)
def test_checks_between_options(check: str, good: Any, bad: Any, message: str) -> None:
    fields = "fields = { { a = { type = 'string' } }, { b = { type = 'string' } } }"
    kong = node(config=fields + ", entity_checks = { { " + check + " = { 'a', 'b' } } }")
    assert validation_errors(kong, good) == {}
    assert set(validation_errors(kong, bad).values()) == {message}


def test_missing_options_get_their_default_or_null() -> None:
    kong = node(
        config="""fields = {
            { a = { type = "string", default = "x" } }, { b = { type = "string" } }, { n = { type = "number" } },
            { r = { type = "record", required = true, fields = { { t = { type = "number", default = 5 } } } } },
            { given = { type = "record", fields = { { t = { type = "number", default = 5 } } } } },
        }"""
    )
    assert post_config(kong, {"name": "foo", "config": {"n": 3, "given": {}}})[0] == 201
    (plugin,) = get(kong, "/plugins")["data"]
    assert plugin["config"] == {"a": "x", "b": None, "n": 3, "r": {"t": 5}, "given": {"t": 5}}
    assert (plugin["enabled"], plugin["protocols"]) == (True, ["grpc", "grpcs", "http", "https"])
    assert (plugin["route"], plugin["service"], plugin["consumer"]) == (None, None, None)
    assert plugin["created_at"] == plugin["updated_at"] > 0


def test_a_plugin_without_config_gets_the_defaults() -> None:
    kong = node(config="fields = { { a = { type = 'string', default = 'x' } } }")
    assert post_config(kong, {"name": "foo"})[0] == 201
    assert get(kong, "/plugins")["data"][0]["config"] == {"a": "x"}


def test_fields_beside_the_options() -> None:
    assert validation_errors(node(), {}, run_on="first") == {"run_on": "unknown field"}
    assert validation_errors(node(), {}, enabled="yes") == {"enabled": "expected a boolean"}
    assert "expected one of: " in validation_errors(node(), {}, protocols=["smtp"])["protocols.1"]
    no_consumer = "{ consumer = require('kong.db.schema.typedefs').no_consumer },"
    assert validation_errors(node(more=no_consumer), {}, consumer={"id": "x"}) == {"consumer": "value must be null"}
