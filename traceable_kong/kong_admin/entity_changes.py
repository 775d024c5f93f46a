"""Writes the plugin's row, reads it, takes it out, and waits until every node of Kong knows. Knows no Pulumi.

Kong's nodes share a database and each learns by asking it now and then what changed; the Admin API shows the database
and never what a node has loaded. So after a write there is nothing to look at, only a time to wait.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.kong_admin.admin_client import Client, HookFailed
from traceable_kong.kong_admin.admin_listen import AdminError
from traceable_kong.kong_admin.plugin_target import (
    Document,
    PluginTarget,
    ResolvedScope,
    body,
    is_at,
    is_ours,
    owner_of,
)

MARGIN_SECONDS = 0.5
"""For the asking itself."""

KONGS_DEFAULTS = {"db_update_frequency": 5.0, "db_update_propagation": 0.0, "worker_state_update_frequency": 5.0}
"""Source: kong.conf.default (Kong 3.9)."""


class OwnershipConflict(AdminError):
    """A row of somebody else's is in the way; the text says which, and how it is taken over."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What stands at a place: `row` is this stack's, `others` are somebody else's.

    `bound` is None where the place's route or service is not there.
    """

    bound: ResolvedScope | None
    row: Document | None
    others: tuple[Document, ...]


def put(
    client: Client,
    place: PluginTarget,
    *,
    enabled: bool,
    config: Mapping[str, Any],
    adopt: bool,
    id_: str | None = None,
) -> str:
    """Writes the row and returns its id when every node has had time to load it.

    `id_` is the row's where it has one already. With `adopt` a row that nobody's mark is on is written over where it
    stands, under its own id. Raises AdminError.
    """
    bound = bound_of(client, place)
    if bound is None:
        raise AdminError(
            f"There is no {place.reach} in the workspace {place.workspace}, so the plugin could not be bound to it: "
            "kong.admin.route and kong.admin.service take a name or an id."
        )
    rows = [row for row in client.list("/plugins") if row.get("name") == place.plugin]
    target = _target(place, bound, rows, adopt=adopt, id_=id_)
    try:
        client.put(f"/plugins/{target}", body(place, bound, enabled=enabled, config=config))
    except HookFailed as problem:
        if problem.status != 409:
            raise
        raise OwnershipConflict(
            f"Somebody else has just written a {place.plugin} for {place.reach}: {problem}"
        ) from None
    wait(client)
    return target


def _target(place: PluginTarget, bound: ResolvedScope, rows: list[Document], *, adopt: bool, id_: str | None) -> str:
    """The id to write to: this stack's own row, wherever it is bound, else the one that it takes over, else a new one.

    Kong has room for one row at a place, so there is at most one of somebody else's.
    """
    ours, theirs = [], None
    for row in rows:
        free = owner_of(row) is None
        if is_ours(place, row) or (free and row.get("id") == id_):
            ours.append(row)
        elif is_at(row, place.plugin, bound):
            theirs = row
    # A copy that somebody made, mark and all, is not the one that the engine knows.
    ours.sort(key=lambda row: (row.get("id") == id_, is_at(row, place.plugin, bound)))
    own = str(ours[-1]["id"]) if ours else None
    if theirs is None:
        # A PUT would write over whatever has that id by now, wherever it is bound.
        changed_hands = next((row for row in rows if row.get("id") == id_ and own != id_), None)
        if own is None and changed_hands is not None:
            raise OwnershipConflict(f"{named(place, changed_hands)} {whose(changed_hands)}. {way_out(changed_hands)}.")
        return own or id_ or place.id
    if owner_of(theirs) is not None or (own is None and id_ is None and not adopt):
        raise OwnershipConflict(f"{named(place, theirs)} {whose(theirs)}. {way_out(theirs)}.")
    if own is not None:
        raise OwnershipConflict(
            f"{named(place, theirs)} {whose(theirs)}. This stack's own row ({own}) was to move there: "
            "delete one of them."
        )
    if id_ is not None:
        raise OwnershipConflict(
            f"{named(place, theirs)} stands where this stack's own ({id_}) was: somebody took that away. `pulumi "
            "refresh` sees it; then, with kong.admin.adopt true, `pulumi up` takes this one over."
        )
    return str(theirs["id"])


def named(place: PluginTarget, row: Mapping[str, Any]) -> str:
    """How a person finds it."""
    return f"The row {row.get('id')} of Kong's plugins ({place.plugin} for {place.reach}, workspace {place.workspace})"


def whose(row: Mapping[str, Any]) -> str:
    """That it is not this stack's."""
    owner = owner_of(row)
    if owner:
        return f"belongs to the stack {owner}, and Kong has room for one: both would write it"
    return "is there, and this stack did not make it; Kong has room for one"


def way_out(row: Mapping[str, Any]) -> str:
    """What to do about it."""
    if owner_of(row):
        return "Destroy that stack first, or name another kong.admin.workspace"
    return (
        "`pulumi config set --path traceable-kong:kong.admin.adopt true` takes it over where it stands, with this "
        "stack's fields, and removes it with the stack; or delete it: `curl -X DELETE .../plugins/ID`"
    )


def bound_of(client: Client, place: PluginTarget) -> ResolvedScope | None:
    """The ids of a place's names; None where there is no such route or service. Raises AdminError."""
    ids = {}
    for kind, name in (("route", place.route), ("service", place.service)):
        if name:
            found = client.get(f"/{kind}s/{name}")
            if found is None:
                return None
            ids[kind] = str(found["id"])
    return ResolvedScope(**ids)


def look(client: Client, place: PluginTarget) -> Found:
    """What stands at a place, whoever wrote it. Raises AdminError."""
    rows = [row for row in client.list("/plugins") if row.get("name") == place.plugin]
    bound = bound_of(client, place)
    ours = [row for row in rows if is_ours(place, row)]
    here = [row for row in ours if bound is not None and is_at(row, place.plugin, bound)]
    others = tuple(row for row in rows if not is_ours(place, row))
    return Found(bound=bound, row=next(iter([*here, *ours]), None), others=others)


def take_out(client: Client, place: PluginTarget, id_: str | None = None) -> list[str]:
    """Removes this stack's rows and returns their ids when every node has had time to forget them.

    All that carry its mark in the workspace go, whatever they are bound to, and the one with `id_` where it lost its
    mark; one that has another stack's by now stays. Those that are gone are done, and are waited for too: a run that
    was killed may have removed them a moment ago. Raises AdminError.
    """
    try:
        rows = client.list("/plugins")
    except HookFailed as problem:
        if problem.status != 404:
            raise
        rows = []  # The workspace is gone, and all that was in it.

    def goes(row: Document) -> bool:
        return is_ours(place, row) or (row.get("id") == id_ and owner_of(row) is None)

    ids = [str(row["id"]) for row in rows if goes(row)]
    for gone in ids:
        now = client.get(f"/plugins/{gone}")
        if now is not None and goes(now):
            client.delete(f"/plugins/{gone}")
    wait(client)
    return ids


def wait(client: Client) -> None:
    """Returns when every node has had time to load what was written. Raises AdminError."""
    try:
        configuration = client.root().get("configuration") or {}
    except HookFailed as problem:
        if problem.status not in (401, 403):
            raise
        # A token may be good for plugins and for nothing else.
        configuration = {}
    time.sleep(settle_seconds(configuration))


def settle_seconds(configuration: Mapping[str, Any]) -> float:
    """How long it may take until a change in the database is in force on every node.

    A node asks the database every `db_update_frequency` seconds for changes that are `db_update_propagation` old;
    with `worker_consistency` eventual, its workers then take the change over every `worker_state_update_frequency`
    (https://developer.konghq.com/gateway/configuration/).
    """
    names = ["db_update_frequency", "db_update_propagation"]
    if configuration.get("worker_consistency", "eventual") != "strict":
        names.append("worker_state_update_frequency")
    return sum(_number(configuration.get(name), KONGS_DEFAULTS[name]) for name in names) + MARGIN_SECONDS


def _number(value: object, otherwise: float) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return otherwise
    return number if math.isfinite(number) and number >= 0 else otherwise
