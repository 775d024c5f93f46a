"""The plugin as a row of Kong's database: its id, its mark, what is written, and what of it is not so. Pure."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "traceable-kong")

TAG = "traceable-kong:"
"""Before the stack's id. A tag may have any printable character but `,` and `/` (kong/db/schema/typedefs.lua)."""

SCOPES = ("route", "service", "consumer", "consumer_group")
"""What a plugin may be bound to. With name and workspace they are unique (kong/db/schema/entities/plugins.lua)."""


@dataclass(frozen=True, kw_only=True)
class PluginTarget:
    """Where a stack's row is: one plugin of a workspace, for everything, or for one route or service.

    `plugin` is its name in Kong, `route` and `service` are a name or an id, "" for none. `owner` is what
    `ownership.stack_id()` gave.
    """

    workspace: str
    plugin: str
    route: str = ""
    service: str = ""
    owner: str

    @property
    def id(self) -> str:
        """The same in every run, so that what a killed one wrote is found again, and written again without harm."""
        return str(uuid.uuid5(_NAMESPACE, json.dumps([self.workspace, self.plugin, *self.scope, self.owner])))

    @property
    def scope(self) -> tuple[str, str]:
        return self.route, self.service

    @property
    def tag(self) -> str:
        return TAG + self.owner

    @property
    def reach(self) -> str:
        """In words."""
        bound = [f"{kind} {name}" for kind, name in (("route", self.route), ("service", self.service)) if name]
        return bound[0] if bound else "all routes"


@dataclass(frozen=True, kw_only=True)
class ResolvedScope:
    """What a place's names come to: the id of its route or service, "" for none."""

    route: str = ""
    service: str = ""


def owner_of(row: Mapping[str, Any]) -> str | None:
    """The stack whose mark a row has."""
    return next((tag.removeprefix(TAG) for tag in row.get("tags") or [] if tag.startswith(TAG)), None)


def is_ours(place: PluginTarget, row: Mapping[str, Any]) -> bool:
    """By its id, or by its mark: a row that was taken over keeps the id that it had."""
    return owner_of(row) == place.owner or (row.get("id") == place.id and owner_of(row) is None)


def reference(row: Mapping[str, Any], kind: str) -> str:
    """The id of the route, service, consumer or group that a row is bound to, "" for none."""
    found = row.get(kind)
    return str(found.get("id") or found.get("name") or "") if isinstance(found, Mapping) else ""


def is_at(row: Mapping[str, Any], plugin: str, bound: ResolvedScope) -> bool:
    """Whether a row is of that plugin and bound to exactly that: Kong has room for one."""
    wanted = (bound.route, bound.service, "", "")
    return row.get("name") == plugin and tuple(reference(row, kind) for kind in SCOPES) == wanted


def body(place: PluginTarget, bound: ResolvedScope, *, enabled: bool, config: Mapping[str, Any]) -> Document:
    """The whole row, as PUT takes it; what is not in it, Kong puts at its default."""
    scope: Document = {}
    for kind in ("route", "service"):
        if id_ := getattr(bound, kind):
            scope[kind] = {"id": id_}
    return {"name": place.plugin, "enabled": enabled, "tags": [place.tag], "config": whole(config), **scope}


def whole(value: Any) -> Any:
    """As it was meant: a number that went through the engine comes back as 500.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [whole(item) for item in value]
    return value


def standing(live: Any, wanted: Any) -> Any:
    """What stands of what is wanted: Kong's own defaults beside it are left out, what is missing is None."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return {key: standing(live.get(key), item) for key, item in wanted.items()}
    return live


def elsewhere(place: PluginTarget, bound: ResolvedScope | None, row: Mapping[str, Any]) -> str:
    """What of a row was changed by hand beside its config, in words; "" where nothing was.

    `bound` is None where the route or service of the place is not there any more.
    """
    return "; ".join(_elsewhere(place, bound, row))


def _elsewhere(place: PluginTarget, bound: ResolvedScope | None, row: Mapping[str, Any]) -> Iterator[str]:
    if row.get("name") != place.plugin:
        yield f"it is the plugin {row.get('name')}"
    elif bound is None or not is_at(row, place.plugin, bound):
        held = [f"{kind} {id_}" for kind in SCOPES if (id_ := reference(row, kind))]
        yield f"it is bound to {', '.join(held) or 'all routes'}"
    if owner_of(row) != place.owner:
        yield f"it lacks the tag {place.tag}"
