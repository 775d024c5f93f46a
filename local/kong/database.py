"""The database of Kong nodes: a real PostgreSQL, and Kong's errors when it is not available.

Based on `kong/db/strategies/postgres/connector.lua` of Kong 3.9. With `pg_ssl` on, Kong's client requests SSL and
continues without it if the server does not support it. Entities are in tables of this simulation; the state of
migrations is in Kong's `schema_meta`.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from local.kong.kong_config import KongConfig

Cursor = psycopg.Cursor[dict[str, Any]]
Resolve = Callable[[str, int], tuple[str, int]]
"""(host, port) -> the address and port on this machine. Raises DatabaseError."""

REFUSED = "connection refused"
UNKNOWN_HOST = "host or service not provided, or not known"

TABLES = """
CREATE TABLE schema_meta (
    key text, subsystem text, last_executed text, executed text[], pending text[], PRIMARY KEY (key, subsystem)
);
CREATE TABLE workspaces (id uuid PRIMARY KEY, name text UNIQUE NOT NULL, created_at bigint NOT NULL);
CREATE TABLE entities (
    kind text, id uuid, ws_id uuid NOT NULL REFERENCES workspaces, document jsonb NOT NULL, PRIMARY KEY (kind, id)
);
CREATE TABLE cluster_events (id bigserial PRIMARY KEY, node_id uuid NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE rbac_users (name text PRIMARY KEY, token_digest text NOT NULL);
"""


class DatabaseError(Exception):
    """The database is not available or reports an error. The message is that of Kong's client."""


def resolve_host(host: str, port: int) -> tuple[str, int]:
    """Checks that this machine can resolve a host, and returns it."""
    try:
        socket.getaddrinfo(host, port)
    except OSError as problem:
        raise DatabaseError(UNKNOWN_HOST) from problem
    return host, port


class Database:
    """A node's connection to its database, for one request at a time. `down` makes it unreachable for this node."""

    def __init__(
        self, kong_config: KongConfig, *, resolve: Resolve = resolve_host, down: Callable[[], bool] = lambda: False
    ) -> None:
        self._kong_config = kong_config
        self._resolve = resolve
        self._down = down
        self._connection: psycopg.Connection[dict[str, Any]] | None = None

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """Commits or rolls back everything that is done with the cursor. Raises DatabaseError."""
        try:
            connection = self._connected()
            with connection.transaction(), connection.cursor() as cursor:
                yield cursor
        except psycopg.Error as problem:
            raise DatabaseError(_pgmoon_message(problem)) from problem

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _connected(self) -> psycopg.Connection[dict[str, Any]]:
        if self._down():
            self.close()
            raise DatabaseError(REFUSED)
        if self._connection and not self._alive(self._connection):
            self.close()
        if not self._connection:
            self._connection = self._connect()
        return self._connection

    @staticmethod
    def _alive(connection: psycopg.Connection[dict[str, Any]]) -> bool:
        """Checks an idle connection."""
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            return not connection.closed
        try:
            connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def _connect(self) -> psycopg.Connection[dict[str, Any]]:
        kong_config = self._kong_config
        timeout = kong_config.number("pg_timeout")
        host, port = self._resolve(kong_config.get("pg_host", "127.0.0.1"), int(kong_config.number("pg_port")))
        return psycopg.connect(
            host=host,
            port=port,
            user=kong_config.get("pg_user", "kong"),
            password=kong_config.get("pg_password") or None,
            dbname=kong_config.get("pg_database", "kong"),
            sslmode="prefer" if kong_config.on("pg_ssl") else "disable",
            connect_timeout=max(2, round(timeout / 1000)),
            options=f"-c statement_timeout={timeout:.0f}",
            application_name="kong",
            autocommit=True,
            row_factory=dict_row,
        )


def _pgmoon_message(problem: psycopg.Error) -> str:
    """Returns the message that pgmoon, Kong's client, has for the same problem."""
    text = str(problem).strip()
    if "FATAL:" in text:
        return f"FATAL: {text.split('FATAL:', 1)[1].strip()}".splitlines()[0]
    for sign, words in (
        ("refused", REFUSED),
        ("no password supplied", "missing password, required for connect"),
        ("could not translate host name", UNKNOWN_HOST),
        ("timeout", "timeout"),
        ("closed the connection", "receive_message: failed to get type: closed"),
        ("connection is lost", "receive_message: failed to get type: closed"),
    ):
        if sign in text:
            return words
    return f"ERROR: {text.splitlines()[0]}" if text else "closed"
