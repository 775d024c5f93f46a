"""A database for simulated Kong nodes, and nodes that use it. Their plugin `foo` has the option `level`."""

import json
from dataclasses import dataclass
from typing import Any

import psycopg

from local.kong import migrations
from local.kong.database import Database
from local.kong.kong_config import KongConfig
from local.kong.traditional_node import TraditionalNode
from local.postgres.postgres_server import Server
from tests.local.kong.nodes import files

PASSWORD = "geheim & 'quoted'"
LEVEL = """fields = {
  { level = { type = "string", default = "low", one_of = { "low", "high" } } },
  { size = { type = "integer" } },
}"""


@dataclass(frozen=True)
class PrivateDatabase:
    server: Server
    name: str

    def kong_config(self, *, enterprise: bool = False, plugins: str = "bundled,foo", **env: str) -> KongConfig:
        environment = {
            "KONG_DATABASE": "postgres",
            "KONG_PG_HOST": self.server.address,
            "KONG_PG_PORT": str(self.server.port),
            "KONG_PG_DATABASE": self.name,
            "KONG_PG_PASSWORD": PASSWORD,
            "KONG_PLUGINS": plugins,
            "KONG_LUA_PACKAGE_PATH": "/opt/?.lua;;",
            **env,
        }
        return KongConfig(environment, files("foo", LEVEL), enterprise)

    def migrate(self, command: str, **how: Any) -> list[str]:
        """Returns what the command printed."""
        kong_config = self.kong_config(**how)
        output: list[str] = []
        database = Database(kong_config)
        try:
            migrations.run(command, kong_config, database, output.append)
        finally:
            database.close()
        return output

    def node(self, **how: Any) -> TraditionalNode:
        return self.interrupted([False], **how)

    def interrupted(self, down: list[bool], **how: Any) -> TraditionalNode:
        """Returns a node whose database is down while `gone[0]` is True."""
        kong_config = self.kong_config(**how)
        return TraditionalNode(kong_config, hostname="pod", database=Database(kong_config, down=lambda: down[0]))

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.server.conninfo(PASSWORD, self.name), autocommit=True) as connection:
            connection.execute(statement)


def ask(
    kong: TraditionalNode, method: str, path: str, document: Any = None, token: str = "", **query: str
) -> tuple[int, Any]:
    body = b"" if document is None else json.dumps(document).encode()
    return kong.admin_api(method, path, query, body, {"kong-admin-token": token} if token else {})


def create(kong: TraditionalNode, path: str, **document: Any) -> dict[str, Any]:
    status, answer = ask(kong, "POST", path, document)
    assert status == 201, answer
    return dict(answer)
