"""Writes, reads and deletes the plugin entity, and waits until every Kong node has loaded the change.

The nodes share a database and poll it for changes. The Admin API shows the database and not what a node has loaded, so
after a change there is nothing to check, only a time to wait.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.kong_admin.admin_client import AdminClient, path_of
from traceable_kong.kong_admin.admin_errors import AdminError, ErrorResponse, OwnershipConflict
from traceable_kong.kong_admin.plugin_schema import field_differences, option_differences, read_schema
from traceable_kong.kong_admin.plugin_target import (
    Document,
    PluginTarget,
    ResolvedScope,
    entity_body,
    has_scope,
    identity_differences,
    owner_of,
    owns,
)

MARGIN_SECONDS = 0.5
"""For the poll itself."""

SAID_SECONDS = 15.0
"""A longer wait is printed: Pulumi shows what the program and its plugins print. By Kong's defaults it is shorter."""

LONGEST_SETTLE_SECONDS = 120.0
"""However long Kong's settings are: `pulumi up` must not stand still for hours."""

KONG_DEFAULTS = {"db_update_frequency": 5.0, "db_update_propagation": 0.0, "worker_state_update_frequency": 5.0}
"""Source: kong.conf.default (Kong 3.9)."""


@dataclass(frozen=True, kw_only=True)
class EntityState:
    """The entities of a target's plugin: `entity` is this stack's, `others` are not managed by it.

    `scope` is None where the target's route or service does not exist.
    """

    scope: ResolvedScope | None
    entity: Document | None
    others: tuple[Document, ...]


def find_entity(client: AdminClient, target: PluginTarget) -> EntityState:
    """Reads the entities of the target's plugin. Raises AdminError."""
    entities = [item for item in client.list("/plugins") if item.get("name") == target.plugin]
    scope = resolve_scope(client, target)
    own = [item for item in entities if owns(target, item)]
    at_target = [item for item in own if scope is not None and has_scope(item, target.plugin, scope)]
    others = tuple(item for item in entities if not owns(target, item))
    return EntityState(scope=scope, entity=next(iter([*at_target, *own]), None), others=others)


def resolve_scope(client: AdminClient, target: PluginTarget) -> ResolvedScope | None:
    """The ids of the target's names; None where the route or service does not exist. Raises AdminError."""
    ids = {}
    for kind, name in (("route", target.route), ("service", target.service)):
        if name:
            # A path cannot end with these; real Kong would answer for another one.
            found = None if name in (".", "..") else client.get(path_of(f"{kind}s", name))
            if found is None:
                return None
            ids[kind] = str(found.get("id"))
    return ResolvedScope(**ids)


def write_entity(
    client: AdminClient,
    target: PluginTarget,
    *,
    enabled: bool,
    config: Mapping[str, Any],
    adopt: bool,
    id_: str | None,
    is_loaded: bool = False,
) -> str:
    """Creates or replaces the entity, and returns its id when every node has had time to load it.

    `id_` is the id of the entity in the state. With `adopt`, an entity at the target that no stack manages is replaced
    and keeps its id. With `is_loaded`, an earlier update has waited for this content: where the entity still has it,
    nothing is written. Raises AdminError.
    """
    scope = resolve_scope(client, target)
    if scope is None:
        raise AdminError(
            f"There is no {target.applies_to} in Kong's workspace {target.workspace}, so the plugin cannot be bound to "
            "it. Nothing was written. Set kong.admin.route or kong.admin.service to the name or id of an existing one."
        )
    entities = [item for item in client.list("/plugins") if item.get("name") == target.plugin]
    written = _id_to_write(target, scope, entities, adopt=adopt, id_=id_)
    body = entity_body(target, scope, enabled=enabled, config=config)
    live = next((item for item in entities if item.get("id") == written), None)
    if is_loaded and live is not None and _has_content(client, target, scope, live, body):
        return written
    try:
        client.put(path_of("plugins", written), body)
    except ErrorResponse as problem:
        if problem.status != 409:
            raise
        raise OwnershipConflict(
            f"Another client has just created a plugin entity of {target.plugin} for {target.applies_to}: {problem}. "
            "Nothing was written. Run `pulumi up` again."
        ) from None
    wait_for_nodes(client)
    return written


def _has_content(
    client: AdminClient, target: PluginTarget, scope: ResolvedScope, live: Document, body: Document
) -> bool:
    """Whether writing the body would not change the live entity. Without Kong's schema that is not known: False."""
    schema = read_schema(client, target.plugin)
    return (
        not isinstance(schema, str)
        and bool(live.get("enabled", True)) == body["enabled"]
        and not any(identity_differences(target, scope, live))
        and not any(field_differences(schema, live))
        and not any(option_differences(schema, body["config"], live.get("config") or {}))
    )


def _id_to_write(
    target: PluginTarget, scope: ResolvedScope, entities: list[Document], *, adopt: bool, id_: str | None
) -> str:
    """The id of this stack's entity, whatever it is bound to; else of the one to adopt; else a new one.

    Kong allows one entity at a target, so at most one there is not this stack's.
    """
    own_entities, other = [], None
    for item in entities:
        if owns(target, item) or (owner_of(item) is None and item.get("id") == id_):
            own_entities.append(item)
        elif has_scope(item, target.plugin, scope):
            other = item
    # Another client may have copied the entity with its tag; the one in the state goes first.
    own_entities.sort(key=lambda item: (item.get("id") == id_, has_scope(item, target.plugin, scope)))
    own = str(own_entities[-1].get("id")) if own_entities else None
    if other is None:
        # A PUT would replace whatever entity has that id now, whatever it is bound to.
        replaced = next((item for item in entities if item.get("id") == id_ and own != id_), None)
        if own is None and replaced is not None:
            raise _conflict(target, replaced)
        return own or id_ or target.id
    if owner_of(other) is not None or (own is None and id_ is None and not adopt):
        raise _conflict(target, other)
    if own is not None:
        raise OwnershipConflict(
            f"{_described(target, other)} {ownership_problem(other)}. This stack's own entity ({own}) cannot be moved "
            "there. Nothing was written. Delete one of the two (`DELETE /plugins/ID` of Kong's Admin API)."
        )
    if id_ is not None:
        raise OwnershipConflict(
            f"{_described(target, other)} was created in place of this stack's own entity ({id_}), which was deleted. "
            "Nothing was written. Run `pulumi refresh`, set kong.admin.adopt to true, then run `pulumi up` to adopt it."
        )
    return str(other.get("id"))


def _described(target: PluginTarget, entity: Mapping[str, Any]) -> str:
    return (
        f"Plugin entity {entity.get('id')} in Kong ({target.plugin} for {target.applies_to}, workspace "
        f"{target.workspace})"
    )


def _conflict(target: PluginTarget, entity: Mapping[str, Any]) -> OwnershipConflict:
    return OwnershipConflict(
        f"{_described(target, entity)} {ownership_problem(entity)}. Nothing was written. {ownership_fix(entity)}."
    )


def ownership_problem(entity: Mapping[str, Any]) -> str:
    """Why an entity that is not this stack's is in the way; follows its name in a message."""
    owner = owner_of(entity)
    if owner:
        return f"belongs to the stack {owner}, and Kong allows only one: both stacks would overwrite it"
    return "exists and is not managed by this stack, and Kong allows only one"


def ownership_fix(entity: Mapping[str, Any]) -> str:
    """What to do about such an entity."""
    if owner_of(entity):
        return "Destroy that stack first, or choose another kong.admin.workspace"
    return (
        "Adopt it: `pulumi config set --path traceable-kong:kong.admin.adopt true`; `up` then replaces its fields, and "
        "`destroy` deletes it. Or delete it (`DELETE /plugins/ID` of Kong's Admin API)"
    )


def delete_entities(
    client: AdminClient, target: PluginTarget, id_: str | None = None, *, wait: bool = True
) -> list[str]:
    """Deletes this stack's entities, and returns their ids. With `wait`, every node has had time to unload them.

    These are all with the stack's tag in the workspace, whatever they are bound to, and the one with `id_` where it
    lost its tag. Also without any it waits: an interrupted update may have deleted them a moment ago. Only a Kong
    without the plugin's files cannot have loaded them. Raises AdminError.
    """
    try:
        entities = client.list("/plugins")
    except ErrorResponse as problem:
        if problem.status != 404:
            raise
        entities = []  # The workspace was deleted with everything in it.

    def is_deleted(entity: Document) -> bool:
        return owns(target, entity) or (entity.get("id") == id_ and owner_of(entity) is None)

    ids = [str(item.get("id")) for item in entities if is_deleted(item)]
    for found in ids:
        live = client.get(path_of("plugins", found))
        if live is not None and is_deleted(live):
            client.delete(path_of("plugins", found))
    if not wait:
        return ids
    node = _node(client)
    if ids or _may_have_files(node, target.plugin):
        _wait_for_nodes(node)
    return ids


def _may_have_files(node: Document, plugin: str) -> bool:
    plugins = node.get("plugins")
    available = plugins.get("available_on_server") if isinstance(plugins, dict) else None
    return not isinstance(available, dict) or plugin in available


def wait_for_nodes(client: AdminClient) -> None:
    """Returns when every node has had time to load the last change; prints that it waits long. Raises AdminError."""
    _wait_for_nodes(_node(client))


def _node(client: AdminClient) -> Document:
    """What a node reports about itself, {} where the token allows plugin entities only."""
    try:
        return client.root()
    except ErrorResponse as problem:
        if problem.status not in (401, 403):
            raise
        return {}


def _wait_for_nodes(node: Document) -> None:
    configuration = node.get("configuration")
    wanted = settle_seconds(configuration if isinstance(configuration, dict) else {})
    seconds = min(wanted, LONGEST_SETTLE_SECONDS)
    if wanted > seconds:
        print(
            f"By Kong's own settings, a change is in force on every node after {wanted:.0f} s. Waiting {seconds:.0f} "
            "s; until then, some nodes may serve with the old configuration. Lower Kong's db_update_frequency, "
            "db_update_propagation or worker_state_update_frequency.",
            flush=True,
        )
    elif wanted > SAID_SECONDS:
        print(f"Waiting {seconds:.0f} s, by Kong's own settings, until every node has loaded the change.", flush=True)
    time.sleep(seconds)


def settle_seconds(configuration: Mapping[str, Any]) -> float:
    """How long a change in the database may take to be in force on every node.

    A node asks the database every `db_update_frequency` seconds for changes that are `db_update_propagation` seconds
    old; with `worker_consistency` eventual, its workers load them every `worker_state_update_frequency` seconds
    (https://developer.konghq.com/gateway/configuration/).
    """
    names = ["db_update_frequency", "db_update_propagation"]
    if configuration.get("worker_consistency", "eventual") != "strict":
        names.append("worker_state_update_frequency")
    return sum(_number(configuration.get(name), KONG_DEFAULTS[name]) for name in names) + MARGIN_SECONDS


def _number(value: object, default: float) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return default
    return number if math.isfinite(number) and number >= 0 else default
