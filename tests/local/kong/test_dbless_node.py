"""A simulated node without a database: startup, Admin API, status API, and Kong's error messages."""

import json
from typing import Any

import pytest

from local.kong.dbless_node import EMPTY_HASH, DbLessNode
from local.kong.enabled_plugins import BUNDLED, StartError
from local.kong.kong_config import KongConfig
from tests.local.kong.nodes import files, get, node, post_config

TAGS = ["k8s-name:mine", "k8s-kind:KongClusterPlugin"]


def validate(kong: DbLessNode, plugin: dict[str, Any]) -> tuple[int, Any]:
    return kong.admin_api("POST", "/schemas/plugins/validate", {}, json.dumps(plugin).encode())


def test_an_enabled_plugin_without_files_prevents_the_start() -> None:
    with pytest.raises(StartError, match=r"on plugin 'bar': bar plugin is enabled but not installed;"):
        node(plugins="bundled,foo,bar")


def test_files_are_found_only_on_the_package_path() -> None:
    with pytest.raises(StartError, match="foo plugin is enabled but not installed"):
        node(KONG_LUA_PACKAGE_PATH="/elsewhere/?.lua;;")


def test_a_plugin_needs_a_schema() -> None:
    only = {"/opt/kong/plugins/foo/handler.lua": 'return { PRIORITY = 1, VERSION = "1.0.0" }'}
    environment = {"KONG_DATABASE": "off", "KONG_PLUGINS": "foo", "KONG_LUA_PACKAGE_PATH": "/opt/?.lua"}
    with pytest.raises(StartError, match="no configuration schema found for plugin: foo"):
        DbLessNode(KongConfig(environment, only), hostname="pod")


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ('return { VERSION = "1.0.0" }', "its PRIORITY field is not a valid integer number"),
        ('return { PRIORITY = 1.5, VERSION = "1.0.0" }', "its PRIORITY field is not a valid integer number"),
        ("return { PRIORITY = 1 }", r'its VERSION field does not follow the "x.y.z" format, got: "nil"'),
        ('return { PRIORITY = 1, VERSION = "1.0.0-1" }', "its VERSION field does not follow"),
        ("return {", "error loading module 'kong.plugins.foo.handler'"),
        ("require('kong.plugins.foo.access') return {}", "module 'kong.plugins.foo.access' not found"),
        ("require('acme.helpers') return {}", "module 'acme.helpers' not found"),
        ("while true do end", "takes too long"),
        ("io.open('/etc/passwd') return {}", "attempt to index global 'io'"),
    ],
)
def test_a_handler_that_kong_cannot_load(handler: str, message: str) -> None:
    with pytest.raises(StartError, match=message):
        node(handler=handler)


def test_bundled_modules_can_be_required() -> None:
    kong = node(
        handler="local cjson = require('cjson.safe') local h = require('resty.http').new() "
        'return { PRIORITY = 1, VERSION = "1.0.0" }'
    )
    assert "foo" in get(kong, "/")["plugins"]["available_on_server"]


def test_the_root_shows_version_plugins_and_properties_without_secrets() -> None:
    kong = node(KONG_ADMIN_LISTEN="0.0.0.0:8444 ssl", KONG_PG_PASSWORD="secret")
    root = get(kong, "/")
    assert root["version"].startswith("3.9.")
    assert root["configuration"]["database"] == "off"
    assert "secret" not in json.dumps(root)
    available = root["plugins"]["available_on_server"]
    assert available["foo"] == {"version": "1.2.3", "priority": 1200}
    assert set(available) == {"foo", *BUNDLED}
    assert root["plugins"]["enabled_in_cluster"] == []
    post_config(kong, {"name": "foo"}, {"name": "cors"})
    assert get(kong, "/")["plugins"]["enabled_in_cluster"] == ["foo", "cors"]


def test_without_bundled_only_the_listed_plugins_are_enabled() -> None:
    assert set(get(node(plugins="foo"), "/")["plugins"]["available_on_server"]) == {"foo"}
    assert get(node(plugins="off"), "/")["plugins"]["available_on_server"] == {}
    assert get(node(plugins="off,foo"), "/")["plugins"]["available_on_server"] == {}


def test_an_empty_list_is_the_bundled_plugins_and_an_empty_name_is_a_plugin_that_is_missing() -> None:
    assert set(get(node(plugins=""), "/")["plugins"]["available_on_server"]) == set(BUNDLED)
    with pytest.raises(StartError, match="on plugin ''"):
        node(plugins="bundled,foo,")


def test_a_plugin_that_is_not_enabled_is_rejected_with_its_name_and_tags() -> None:
    kong = node(plugins="foo")
    status, answer = post_config(kong, {"name": "cors", "tags": TAGS})
    assert (status, answer["code"], answer["name"]) == (400, 14, "invalid declarative configuration")
    (entry,) = answer["flattened_errors"]
    assert (entry["entity_type"], entry["entity_name"], entry["entity_tags"]) == ("plugin", "cors", TAGS)
    message = "plugin 'cors' not enabled; add it to the 'plugins' configuration property"
    assert entry["errors"] == [{"type": "field", "field": "name", "message": message}]
    assert validate(kong, {"name": "cors"})[1]["message"] == f"schema violation (name: {message})"


def test_the_validation_counts_the_violations() -> None:
    kong = node(config="fields = { { a = { type = 'string', required = true } } }")
    assert validate(kong, {"name": "foo", "config": {"a": "x"}})[0] == 200
    status, answer = validate(kong, {"name": "foo", "config": {"b": 1}})
    assert (status, answer["code"]) == (400, 2)
    assert answer["message"] == "2 schema violations (config.a: required field missing; config.b: unknown field)"


def test_a_rejected_configuration_leaves_the_previous_one() -> None:
    kong = node()
    post_config(kong, {"name": "foo", "tags": ["first"]})
    before = kong.hash
    assert post_config(kong, {"name": "nope"})[0] == 400
    assert kong.hash == before
    assert get(kong, "/plugins")["data"][0]["tags"] == ["first"]


def test_the_same_configuration_again_changes_nothing() -> None:
    kong = node()
    assert post_config(kong, {"name": "foo"})[0] == 201
    assert post_config(kong, {"name": "foo"}) == (304, None)
    assert post_config(kong, {"name": "foo", "enabled": False})[0] == 201


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"plugins": []}', b"no"])
def test_an_invalid_configuration_is_rejected(body: bytes) -> None:
    status, answer = node().admin_api("POST", "/config", {}, body)
    assert (status, answer["message"]) == (400, "expected a declarative configuration")


def test_an_unknown_section_is_rejected() -> None:
    status, answer = post_config(node(), pluggins=[])
    assert (status, answer["fields"]) == (400, {"pluggins": "unknown field"})
    assert answer["message"] == 'declarative config is invalid: {pluggins="unknown field"}'


def test_a_node_is_ready_when_it_has_a_configuration() -> None:
    kong = node()
    message = "no configuration available (empty configuration present)"
    assert kong.status_api("/status/ready") == (503, {"message": message})
    assert get(kong, "/status")["configuration_hash"] == EMPTY_HASH
    post_config(kong)
    assert kong.status_api("/status/ready")[0] == 503, "an empty configuration is none"
    post_config(kong, {"name": "foo"})
    assert kong.status_api("/status/ready") == (200, {"message": "ready"})
    assert get(kong, "/status")["configuration_hash"] != EMPTY_HASH
    assert kong.status_api("/metrics")[0] == 404


def test_a_declarative_file_is_the_first_configuration() -> None:
    environment = {"KONG_DATABASE": "off", "KONG_DECLARATIVE_CONFIG": "/d/kong.yml"}
    text = '_format_version: "3.0"\nplugins: [{name: cors}]'
    kong = DbLessNode(KongConfig(environment, {"/d/kong.yml": text}), hostname="pod")
    assert [item["name"] for item in get(kong, "/plugins")["data"]] == ["cors"]
    with pytest.raises(StartError, match="No such file"):
        DbLessNode(KongConfig(environment, {}), hostname="pod")
    with pytest.raises(StartError, match=r"error parsing declarative config file /d/kong\.yml"):
        DbLessNode(KongConfig(environment, {"/d/kong.yml": text.replace("cors", "nope")}), hostname="pod")


def test_nested_entities_refer_to_their_owner() -> None:
    kong = node()
    status, _ = post_config(
        kong,
        {"name": "cors", "service": "s"},
        services=[
            {
                "name": "s",
                "host": "h",
                "plugins": [{"name": "foo"}],
                "routes": [{"name": "r", "plugins": [{"name": "foo"}]}],
            }
        ],
        consumers=[{"username": "c", "keyauth_credentials": [{"key": "k"}]}],
    )
    assert status == 201
    service, route = get(kong, "/services/s"), get(kong, "/routes/r")
    assert route["service"] == {"id": service["id"]}
    assert [item["name"] for item in get(kong, "/routes/r/plugins")["data"]] == ["foo"]
    assert sorted(item["name"] for item in get(kong, "/services/s/plugins")["data"]) == ["cors", "foo"]
    assert get(kong, "/consumers/c")["username"] == "c"
    assert len({item["id"] for item in get(kong, "/plugins")["data"]}) == 3
    plugin = get(kong, "/plugins")["data"][0]
    assert get(kong, f"/plugins/{plugin['id']}") == plugin


def test_a_nested_plugin_is_validated() -> None:
    status, answer = post_config(node(), services=[{"name": "s", "plugins": [{"name": "nope"}]}])
    assert status == 400
    assert answer["flattened_errors"][0]["entity"]["service"]["id"]


def test_entities_cannot_be_written_without_a_database() -> None:
    status, answer = node().admin_api("POST", "/plugins", {}, b'{"name": "foo"}')
    assert (status, answer["code"]) == (405, 12)
    assert answer["message"] == "cannot create or update 'plugins' entities when not using a database"


def test_paths_that_do_not_exist() -> None:
    kong = node()
    for path in ("/plugins/x", "/nothing", "/routes/x/plugins"):
        assert kong.admin_api("GET", path, {}, b"")[0] == 404
    assert kong.admin_api("GET", "/schemas/plugins/nope", {}, b"") == (404, {"message": "No plugin named 'nope'"})
    assert kong.admin_api("POST", "/schemas/nope/validate", {}, b"{}")[0] == 404


def test_a_schema_response_has_no_functions() -> None:
    kong = node(config="fields = { { a = { type = 'string', custom_validator = function() return true end } } }")
    shown = get(kong, "/schemas/plugins/foo")["fields"]
    assert {"config": {"type": "record", "required": True, "fields": [{"a": {"type": "string"}}]}} in shown


def test_schema_responses_have_declared_fields_and_those_of_every_plugin() -> None:
    config = "fields = { { a = { type = 'record', fields = { { b = { type = 'number', default = 3 } } } } } }"
    kong = node(config=config, more="{ protocols = { type = 'set', default = { 'http' } } },")
    own = get(kong, "/schemas/plugins/foo")
    assert [list(field) for field in own["fields"]] == [["protocols"], ["config"]] and own["entity_checks"] == []
    inner = own["fields"][1]["config"]["fields"][0]["a"]
    assert inner["required"] is True, "a record says nothing, so Kong shows all of it"
    every = {name: field for entry in get(kong, "/schemas/plugins")["fields"] for name, field in entry.items()}
    assert every["protocols"]["default"] == ["grpc", "grpcs", "http", "https"]
    assert every["route"]["default"] is None and "ordering" not in every, "that is the Enterprise edition's"
    post_config(kong, {"name": "foo"})
    (listed,) = get(kong, "/plugins")["data"]
    assert (listed["config"], listed["protocols"]) == ({"a": {"b": 3}}, ["http"])


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("off", []),
        ("127.0.0.1:8001", [(8001, False, False)]),
        ("0.0.0.0:8444 http2 ssl, [::]:8444 http2 ssl", [(8444, True, True)]),
        ("0.0.0.0:8001, 127.0.0.1:8001", [(8001, False, True)]),
        ("0.0.0.0:8001, 127.0.0.1:8444 ssl", [(8001, False, True), (8444, True, False)]),
    ],
)
def test_listeners(listen: str, expected: list[tuple[int, bool, bool]]) -> None:
    found = KongConfig({"KONG_ADMIN_LISTEN": listen}, files("foo", "fields = {}")).admin
    assert [(item.port, item.tls, item.reachable) for item in found] == expected
