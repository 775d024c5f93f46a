"""The plugin as an entity in Kong's database: its identity, its owner, its content, and how a live one differs."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "traceable-kong")

TAG = "traceable-kong:"
"""Before the stack's id. A tag has no `,` and no `/` (kong/db/schema/typedefs.lua)."""

SCOPES = ("route", "service", "consumer", "consumer_group")
"""What a plugin entity may be bound to. With name and workspace it is unique (kong/db/schema/entities/plugins.lua)."""


@dataclass(frozen=True, kw_only=True)
class PluginTarget:
    """Where the stack `owner` has its plugin entity: for all routes of a workspace, or for one route or service.

    `plugin` is its name in Kong. `route` and `service` are a name or an id, "" for none.
    """

    workspace: str
    plugin: str
    route: str = ""
    service: str = ""
    owner: str

    @property
    def id(self) -> str:
        """Derived from the target, so that an update finds what an interrupted one has written."""
        return str(uuid.uuid5(_NAMESPACE, json.dumps([self.workspace, self.plugin, *self.scope, self.owner])))

    @property
    def scope(self) -> tuple[str, str]:
        return self.route, self.service

    @property
    def tag(self) -> str:
        return TAG + self.owner

    @property
    def applies_to(self) -> str:
        """As messages say it: `route orders`."""
        named = [f"{kind} {name}" for kind, name in (("route", self.route), ("service", self.service)) if name]
        return named[0] if named else "all routes"


@dataclass(frozen=True, kw_only=True)
class ResolvedScope:
    """What the names of a target resolve to: the id of its route or service, "" for none."""

    route: str = ""
    service: str = ""


def owner_of(entity: Mapping[str, Any]) -> str | None:
    """The stack id in the tags of an entity."""
    return next((tag.removeprefix(TAG) for tag in entity.get("tags") or [] if tag.startswith(TAG)), None)


def owns(target: PluginTarget, entity: Mapping[str, Any]) -> bool:
    """True for an entity with the stack's tag, or with its id and no tag: an adopted one keeps its own id."""
    return owner_of(entity) == target.owner or (entity.get("id") == target.id and owner_of(entity) is None)


def scope_id(entity: Mapping[str, Any], kind: str) -> str:
    """The id of the route, service, consumer or group that an entity is bound to, "" for none."""
    found = entity.get(kind)
    return str(found.get("id") or found.get("name") or "") if isinstance(found, Mapping) else ""


def has_scope(entity: Mapping[str, Any], plugin: str, scope: ResolvedScope) -> bool:
    """True for an entity of the plugin that is bound to exactly that scope; Kong allows one."""
    wanted = (scope.route, scope.service, "", "")
    return entity.get("name") == plugin and tuple(scope_id(entity, kind) for kind in SCOPES) == wanted


def entity_body(target: PluginTarget, scope: ResolvedScope, *, enabled: bool, config: Mapping[str, Any]) -> Document:
    """The whole entity for a PUT; Kong sets every other field to its default."""
    bound: Document = {}
    for kind in ("route", "service"):
        if id_ := getattr(scope, kind):
            bound[kind] = {"id": id_}
    return {"name": target.plugin, "enabled": enabled, "tags": [target.tag], "config": with_integers(config), **bound}


def with_integers(value: Any) -> Any:
    """The value with whole numbers as integers: Pulumi's engine turns 500 into 500.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: with_integers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_integers(item) for item in value]
    return value


def current(live: Any, wanted: Any) -> Any:
    """The part of a live config that this stack sets: without Kong's defaults, and None for what is missing."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return {key: current(live.get(key), item) for key, item in wanted.items()}
    return live


def identity_differences(target: PluginTarget, scope: ResolvedScope | None, entity: Mapping[str, Any]) -> Iterator[str]:
    """What of an entity was changed by hand beside its config, in words.

    `scope` is None where the route or service of the target does not exist.
    """
    if entity.get("name") != target.plugin:
        yield f"it is the plugin {entity.get('name')}"
    elif scope is None or not has_scope(entity, target.plugin, scope):
        bound = [f"{kind} {id_}" for kind in SCOPES if (id_ := scope_id(entity, kind))]
        yield f"it is bound to {', '.join(bound) or 'all routes'}"
    if owner_of(entity) != target.owner:
        yield f"it lacks the tag {target.tag}"
