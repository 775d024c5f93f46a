"""The plugin entities that a node with a database has loaded, and when it notices changes.

Based on `kong/cluster_events/init.lua`, `kong/runloop/handler.lua` and `kong/runloop/plugins_iterator.lua` of Kong 3.9.
A node polls for changes by other nodes every `db_update_frequency` seconds, and ignores those that are younger than
`db_update_propagation` seconds. It loads what has changed at the next tick of a timer
(`worker_state_update_frequency`), or at the next request if `worker_consistency` is strict. If loading fails, the node
keeps what it has.
"""

from collections.abc import Mapping
from typing import Any

from local.kong.database import Cursor, Database, DatabaseError
from local.kong.kong_config import KongConfig
from local.kong.plugin_loader import LoadedPlugin

PluginEntity = dict[str, Any]

_PLUGIN_ENTITIES = """
SELECT e.document, w.name AS workspace FROM entities e JOIN workspaces w ON w.id = e.ws_id
WHERE e.kind = 'plugins' ORDER BY e.id
"""


class PluginNotEnabled(Exception):
    """A plugin entity refers to a plugin that the node does not have. The message is Kong's."""


def plugin_names(cursor: Cursor) -> list[str]:
    """Returns the plugin names of all plugin entities."""
    return [plugin["name"] for plugin in _plugin_entities(cursor)]


class LoadedPlugins:
    """The loaded plugin entities, each with the name of its `workspace`.

    The constructor raises PluginNotEnabled if the node cannot start.
    """

    def __init__(
        self, cursor: Cursor, node_id: str, kong_config: KongConfig, enabled: Mapping[str, LoadedPlugin]
    ) -> None:
        self._node_id = node_id
        self._enabled = enabled
        self._poll_seconds = kong_config.number("db_update_frequency")
        self._delay_seconds = kong_config.number("db_update_propagation")
        strict = kong_config.get("worker_consistency", "eventual") == "strict"
        self._tick_seconds = 0.0 if strict else kong_config.number("worker_state_update_frequency")
        self._next_poll = self._next_tick = -1.0
        self._stale = False
        self._seen = self._newest(cursor)
        self.plugins = self._load(cursor)

    def announce(self, cursor: Cursor) -> None:
        """Records a change by this node. It knows at once; other nodes find it in the database."""
        cursor.execute("INSERT INTO cluster_events (node_id) VALUES (%s)", (self._node_id,))
        self._stale = True

    def follow(self, now: float, database: Database) -> bool:
        """Polls and loads if it is time. `now` is in seconds of any clock. Returns True if `plugins` has changed."""
        if self._next_poll < 0:
            self._next_poll, self._next_tick = now + self._poll_seconds, now + self._tick_seconds
        before = self.plugins
        try:
            # In Kong, the two timers are independent. Here the load timer always fires just before the poll, which is
            # the worst case: a change takes both intervals.
            if now >= self._next_tick:
                self._next_tick = now + self._tick_seconds
                if self._stale:
                    with database.transaction() as cursor:
                        self.plugins = self._load(cursor)
                    self._stale = False
            if now >= self._next_poll:
                self._next_poll = now + self._poll_seconds
                with database.transaction() as cursor:
                    self._poll(cursor)
        except (DatabaseError, PluginNotEnabled):
            return False
        return self.plugins != before

    def _poll(self, cursor: Cursor) -> None:
        cursor.execute(
            "SELECT id, node_id::text FROM cluster_events "
            "WHERE id > %s AND at <= now() - make_interval(secs => %s) ORDER BY id",
            (self._seen, self._delay_seconds),
        )
        for event in cursor.fetchall():
            self._seen = event["id"]
            self._stale = self._stale or event["node_id"] != self._node_id

    def _newest(self, cursor: Cursor) -> int:
        cursor.execute("SELECT coalesce(max(id), 0) AS newest FROM cluster_events")
        return int(cursor.fetchall()[0]["newest"])

    def _load(self, cursor: Cursor) -> list[PluginEntity]:
        found = _plugin_entities(cursor)
        for plugin in found:
            if plugin["name"] not in self._enabled:
                raise PluginNotEnabled(f"{plugin['name']} plugin is in use but not enabled")
        return found


def _plugin_entities(cursor: Cursor) -> list[PluginEntity]:
    cursor.execute(_PLUGIN_ENTITIES)
    return [{**row["document"], "workspace": row["workspace"]} for row in cursor.fetchall()]
