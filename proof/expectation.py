"""What a protected gateway must look like: made from the plan in an `up`, and read back from the record by `verify`.

Leaves out secrets: everything here stands in a ConfigMap that anybody may read who may read the namespace.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from admin.access import Access, access_of
from admin.row import Place
from images import ImageReference, parse_image
from safe_text import PlainError, kind_of

PLUGINS_DIRECTORY = "/opt/kong/plugins"
"""Where the Kong chart mounts a plugin's files, below it one folder a plugin (kong chart 3.4.1)."""

RECORD_NAME = "traceable-installation"
"""The ConfigMap in Kong's namespace that says what stands."""


class UnreadableRecord(PlainError):
    """The record is not one of ours; the text says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where the plugin's row is, and where Kong is asked for it: names of Secrets, and nothing out of them."""

    place: Place
    access: Access


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """A gateway, and what must hold for each of its pods.

    `container` is Kong's container in `deployment`. `plugin` is the plugin's name in Kong, `plugin_version` such as
    `2.1.2` what Kong must have loaded, `config` what it must report. `plugin_object` is the KongClusterPlugin, of the
    class `ingress_class`, "" where it is a row of the `database`. `everywhere` False means only routes and services
    that name the plugin, or with a database the one of its place. `files` is
    `{mount path: ConfigMap}`. `tme_image` is what the TME runs, None where no TME is wanted.
    `agent_namespace` is "" where the agent is outside the cluster.
    `installed` False: nothing of all that may be there.
    """

    namespace: str
    release: str
    deployment: str
    container: str
    ingress_class: str
    plugin: str
    plugin_object: str
    plugin_version: str
    enabled: bool
    everywhere: bool
    config: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    tme_image: ImageReference | None
    agent_namespace: str
    installed: bool = True
    database: Database | None = None

    def record(self) -> dict[str, str]:
        """As the data of a ConfigMap: `{key: text}`."""
        return {
            "release": self.release,
            "deployment": self.deployment,
            "container": self.container,
            "ingressClass": self.ingress_class,
            "plugin": self.plugin,
            "pluginObject": self.plugin_object,
            "loadedVersion": self.plugin_version,
            "enabled": _text(self.enabled),
            "scope": "global" if self.everywhere else "selected",
            "pluginConfig": json.dumps(self.config, sort_keys=True),
            "files": json.dumps(self.files, sort_keys=True),
            "tmeImage": str(self.tme_image or ""),
            "agentNamespace": self.agent_namespace,
            "installed": _text(self.installed),
            **self._of_a_database(),
        }

    def _of_a_database(self) -> dict[str, str]:
        if self.database is None:
            return {"database": "off"}
        return {
            "database": "postgres",
            "pluginRow": json.dumps(vars(self.database.place), sort_keys=True),
            "adminApi": json.dumps(self.database.access.document(), sort_keys=True),
        }


def from_record(namespace: str, data: Mapping[str, str]) -> Expectation:
    """The expectation of a record in `namespace`. Raises UnreadableRecord."""
    try:
        return Expectation(
            namespace=namespace,
            release=data["release"],
            deployment=data["deployment"],
            container=data["container"],
            ingress_class=data["ingressClass"],
            plugin=data["plugin"],
            plugin_object=data["pluginObject"],
            plugin_version=data["loadedVersion"],
            enabled=data["enabled"] == "true",
            everywhere=data["scope"] == "global",
            config=_mapping(data, "pluginConfig"),
            files=_mapping(data, "files"),
            tme_image=parse_image(data["tmeImage"]) if data["tmeImage"] else None,
            agent_namespace=data["agentNamespace"],
            installed=data["installed"] == "true",
            database=_database(data),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise UnreadableRecord(f"the record {namespace}/{RECORD_NAME} cannot be read: {kind_of(problem)}") from None


def _database(data: Mapping[str, str]) -> Database | None:
    # A record that was written before there were databases says nothing of them.
    if data.get("database", "off") == "off":
        return None
    return Database(place=Place(**_mapping(data, "pluginRow")), access=access_of(_mapping(data, "adminApi")))


def _mapping(data: Mapping[str, str], key: str) -> dict[str, Any]:
    found = json.loads(data[key])
    if not isinstance(found, dict):
        raise ValueError(f"{key} is no object")
    return found


def _text(value: bool) -> str:
    return "true" if value else "false"
