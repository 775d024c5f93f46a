"""Kong's defaults are no difference, and everything else is."""

from typing import Any

import pytest

from local.kong import enabled_plugins
from local.kong.kong_config import KongConfig
from tests.fakes.plugin_schemas import ENTITY, SCHEMA, own
from tests.local.kong.nodes import files
from traceable_kong.kong_admin.plugin_schema import PluginSchema, field_differences, option_differences, plugin_schema

WANTED = {"ext_cap_endpoint": "http://localhost:5442", "mode": "sync"}


def options(
    found: dict[str, Any], *more: dict[str, Any], wanted: dict[str, Any] | None = None, **config: Any
) -> list[str]:
    """The differences where Kong has these further options and returns `found`."""
    return list(
        option_differences(
            plugin_schema(ENTITY, own(*more, **config)), {**WANTED, **(wanted or {})}, {**WANTED, **found}
        )
    )


NESTED = {
    "request": {
        "type": "record",
        "required": True,
        "fields": [
            {"timeout": {"type": "number", "default": 7}},
            {"headers": {"type": "map"}},
            {"inner": {"type": "record", "required": True, "fields": [{"deep": {"type": "boolean", "default": True}}]}},
        ],
    }
}
FILLED = {"request": {"timeout": 7, "headers": None, "inner": {"deep": True}}}


def test_a_default_that_kong_adds_is_no_difference() -> None:
    assert options({"timeout": 500, "service_name": "kong", "max_body_size_bytes": 131072}) == []
    assert options(FILLED, NESTED) == []
    assert (
        options(
            {"request": {"timeout": 9, "headers": {}, "inner": {"deep": True}}},
            NESTED,
            wanted={"request": {"timeout": 9}},
        )
        == []
    )


@pytest.mark.parametrize(
    "found",
    [
        {"request": {**FILLED["request"], "timeout": 8}},
        {"request": {**FILLED["request"], "headers": {"a": "b"}}},
        {"request": {**FILLED["request"], "inner": {"deep": False}}},
    ],
)
def test_a_difference_in_a_record(found: dict[str, Any]) -> None:
    assert len(options(found, NESTED)) == 1
    assert len(options(found, NESTED, wanted={"request": {}})) == 1


@pytest.mark.parametrize(
    ("definition", "value", "same"),
    [
        ({"type": "number"}, None, True),
        ({"type": "number", "default": 1}, 1.0, True),
        ({"type": "number", "default": 1}, True, False),
        ({"type": "array", "default": []}, {}, True),
        ({"type": "array", "default": ["a", "b"]}, ["b", "a"], False),
        ({"type": "set", "default": ["a", "b"]}, ["b", "a"], True),
        ({"type": "set", "default": ["a", "b"]}, ["b"], False),
        ({"type": "record", "fields": [{"x": {"default": 1}}]}, None, True),
        ({"type": "string", "auto": True}, "made by Kong", True),
    ],
)
def test_an_option_that_the_stack_does_not_set(definition: dict[str, Any], value: Any, same: bool) -> None:
    assert (options({"more": value}, {"more": definition}) == []) is same


def test_an_alias_is_returned_beside_the_new_option() -> None:
    alias: dict[str, Any] = {"shorthand_fields": [{"old_timeout": {"type": "number"}}]}
    assert options({"timeout": 500, "old_timeout": 500}, **alias) == []
    assert options({"timeout": 9, "old_timeout": 9}, wanted={"old_timeout": 9}, **alias) == []


def test_the_value_of_an_option_that_the_stack_does_not_set_is_not_shown() -> None:
    assert "planted" not in str(options({"more": "planted"}))


def test_a_default_of_the_plugins_own_schema_goes_first() -> None:
    tcp = {"type": "set", "default": ["tcp"]}
    schema = plugin_schema(ENTITY, {"fields": [{"protocols": tcp}, *own()["fields"]]})
    assert list(field_differences(schema, {"protocols": ["tcp"]})) == []
    assert len(list(field_differences(SCHEMA, {"protocols": ["tcp"]}))) == 1


def test_without_a_schema_a_field_without_a_default_is_compared() -> None:
    assert list(field_differences(None, {"ordering": None, "protocols": ["tcp"], "tags": ["x"]})) == []
    assert list(field_differences(None, {"ordering": {"after": {"access": ["cors"]}}})) != []


def test_the_simulated_kong_returns_the_defaults_that_it_adds() -> None:
    inner = (
        "{ a = { type = 'record', fields = { { b = { type = 'number', default = 3 } }, { c = { type = 'map' } } } } }"
    )
    given = {
        "/opt/kong/plugins/foo/" + path.rsplit("/", 1)[-1]: text
        for path, text in files("foo", f"fields = {{ {inner} }}").items()
    }
    environment = {
        "KONG_DATABASE": "off",
        "KONG_PLUGINS": "foo",
        "KONG_LUA_PACKAGE_PATH": "/opt/?.lua;/opt/?/init.lua;;",
    }
    enabled = enabled_plugins.load(KongConfig(environment, given))
    schema: PluginSchema = plugin_schema(
        enabled_plugins.schema_response(), enabled_plugins.schema_response(enabled["foo"])
    )
    shown = enabled_plugins.with_defaults({"name": "foo", "enabled": True}, enabled)
    assert shown["config"] == {"a": {"b": 3, "c": None}}
    assert [*option_differences(schema, {}, shown["config"]), *field_differences(schema, shown)] == []
