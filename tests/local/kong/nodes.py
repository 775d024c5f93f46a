"""A simulated Kong node without a database and with a plugin `foo`, and requests to it."""

import json
from typing import Any

from local.kong.dbless_node import DbLessNode
from local.kong.kong_config import KongConfig

HANDLER = 'return { PRIORITY = 1200, VERSION = "1.2.3" }'


def files(name: str, config: str, *, handler: str = HANDLER, more: str = "") -> dict[str, str]:
    """Returns the mounted files of the plugin `name`. `config` is the Lua code of its options."""
    schema = f'return {{ name = "{name}", fields = {{ {more} {{ config = {{ type = "record", {config} }} }} }} }}'
    return {f"/opt/kong/plugins/{name}/handler.lua": handler, f"/opt/kong/plugins/{name}/schema.lua": schema}


def node(
    *, plugins: str = "bundled,foo", config: str = "fields = {}", handler: str = HANDLER, more: str = "", **env: str
) -> DbLessNode:
    """Returns a node without a database that has the plugin `foo`."""
    environment = {
        "KONG_DATABASE": "off",
        "KONG_PLUGINS": plugins,
        "KONG_LUA_PACKAGE_PATH": "/opt/?.lua;/opt/?/init.lua;;",
        **env,
    }
    return DbLessNode(KongConfig(environment, files("foo", config, handler=handler, more=more)), hostname="pod")


def get(kong: DbLessNode, path: str) -> Any:
    status, answer = kong.admin_api("GET", path, {}, b"")
    assert status == 200, answer
    return answer


def post_config(kong: DbLessNode, *plugins: dict[str, Any], flatten: bool = True, **sections: Any) -> tuple[int, Any]:
    query = {"check_hash": "1", **({"flatten_errors": "1"} if flatten else {})}
    document = {"_format_version": "3.0", "plugins": list(plugins), **sections}
    return kong.admin_api("POST", "/config", query, json.dumps(document).encode())


def validation_errors(kong: DbLessNode, config: Any, **fields: Any) -> dict[str, str]:
    """Returns Kong's validation errors for this plugin `foo`, by field."""
    status, answer = post_config(kong, {"name": "foo", "config": config, **fields})
    if status == 201:
        return {}
    assert (status, answer["code"]) == (400, 14)
    return {line.get("field", "@"): line["message"] for line in answer["flattened_errors"][0]["errors"]}
