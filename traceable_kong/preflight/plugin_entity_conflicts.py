"""The plugin's row, asked of the Kong that runs: may we write it, is its place free, and what stands there.

Where there is no Kong yet there is nothing to ask.
"""

import json
import shlex
from collections.abc import Iterator

from traceable_kong.common.commands import config_set
from traceable_kong.kong_admin.admin_client import HookFailed
from traceable_kong.kong_admin.admin_endpoint import NoGateway, SecretMissing
from traceable_kong.kong_admin.admin_listen import AdminError, Unavailable
from traceable_kong.kong_admin.entity_changes import way_out, whose
from traceable_kong.kong_admin.plugin_target import is_at, is_ours, owner_of
from traceable_kong.preflight.cached_reader import CachedReader, Rows, config_maps, deployment
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import Intent, RowIntent
from traceable_kong.preflight.option_versions import mend_unknown_options, mounted, unknown_options

SET = "pulumi config set --path traceable-kong:kong.admin"


def _seen(looks: CachedReader, intent: Intent) -> tuple[RowIntent, Rows] | None:
    """What Kong says; None where there is none to ask, or where it does not answer, which another rule says."""
    row, gateway = intent.row, intent.gateway
    if row is None or looks.get(deployment(gateway.namespace, gateway.deployment)) is None:
        return None
    try:
        return row, looks.rows(row.place, row.access)
    except AdminError:
        return None


def kong_can_be_told(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Kong answers, knows the workspace, and takes the token."""
    row, gateway = intent.row, intent.gateway
    if row is None or looks.get(deployment(gateway.namespace, gateway.deployment)) is None:
        return
    try:
        looks.rows(row.place, row.access)
    except (NoGateway, SecretMissing):
        return  # Either is said by a rule of its own.
    except HookFailed as problem:
        if problem.status == 404:
            yield Finding(
                subject="traceable-kong:kong.admin.workspace",
                wrong=f"is {row.place.workspace}, and Kong has no such workspace: {problem}",
                mend=f"`{SET}.workspace NAME`; the edition without workspaces has `default` only",
            )
            return
        yield Finding(
            subject="Kong's Admin API",
            wrong=f"does not take what this stack asks: {problem}",
            mend="correct kong.admin, or what the token's role may do, then again",
            only_warns=problem.status >= 500,
        )
    except Unavailable as problem:
        # What is to be changed may be what brings it back.
        yield Finding(
            subject="Kong's Admin API",
            wrong=f"could not be asked, so what is wrong with the row shows only when it is written: {problem}",
            mend="`kubectl describe pods` shows why a pod is not ready; from elsewhere, kong.admin.url is the address",
            only_warns=True,
        )
    except AdminError as problem:
        yield Finding(subject="Kong's Admin API", wrong=f"is not what kong.admin says: {problem}", mend="correct it")


def place_is_free(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Nobody else's row is where ours is to be, unless it is to be taken over; and the place is there."""
    seen = _seen(looks, intent)
    if seen is None or not intent.installed:
        return
    row, rows = seen
    bound = rows.found.bound
    if bound is None:
        kind = "route" if row.place.route else "service"
        yield Finding(
            subject=f"traceable-kong:kong.admin.{kind}",
            wrong=f"names the {row.place.reach}, which the workspace {row.place.workspace} does not have: nothing "
            "could be protected",
            mend=f"`{SET}.{kind} NAME`",
        )
        return
    for other in rows.found.others:
        if not is_at(other, row.place.plugin, bound):
            continue
        subject = f"row {other.get('id')} of Kong's plugins ({row.place.plugin} for {row.place.reach})"
        if row.adopt and owner_of(other) is None:
            yield Finding(
                subject=subject,
                wrong="is taken over by this stack (kong.admin.adopt): it gets this stack's fields, Kong's defaults "
                "for all others, and goes with the stack",
                mend="Take kong.admin.adopt out again when it has happened",
                only_warns=True,
            )
        else:
            yield Finding(subject=subject, wrong=whose(other), mend=way_out(other))


def standing_row_is_known(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The rock knows every option that this stack wrote into the row that stands; Kong's own defaults do not count."""
    seen = _seen(looks, intent)
    if seen is None or not intent.installed or seen[1].found.row is None:
        return
    standing = seen[1].found.row
    record = (looks.get(f"{config_maps(intent.gateway.namespace)}/{intent.record}") or {}).get("data") or {}
    try:
        written = set(json.loads(record.get("pluginConfig", "{}")))
    except (ValueError, TypeError, RecursionError):
        return
    config = {key: value for key, value in (standing.get("config") or {}).items() if key in written}
    unknown = unknown_options(config, intent.plugin.rock_version)
    if unknown:
        yield Finding(
            subject=f"row {standing['id']} of Kong's plugins",
            wrong=f"has {', '.join(unknown)}, which {intent.plugin.rock_version} does not know: Kong would no longer "
            "do what they say, and refuse the row that has them",
            mend=mend_unknown_options(looks, intent, unknown, "plugin-row"),
        )


def rows_of_plugins_that_go_are_ours(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """No row of somebody else's names a plugin whose files will be gone: a Kong that starts would not start."""
    seen = _seen(looks, intent)
    live = looks.get(deployment(intent.gateway.namespace, intent.gateway.deployment))
    if seen is None or live is None:
        return
    gone = mounted(looks, intent, live) - (intent.plugin.shipped if intent.installed else frozenset())
    for item in seen[1].all:
        if item.get("name") in gone and not is_ours(seen[0].place, item):
            yield Finding(
                subject=f"row {item.get('id')} of Kong's plugins",
                wrong=f"uses the plugin {item['name']}, whose files go with this change: a Kong that starts with it "
                "would not start",
                mend=f"`curl -X DELETE {shlex.quote('.../plugins/' + str(item.get('id')))}`; or keep the rock that "
                f"stands: `{config_set('plugin.version', 'VERSION')}`",
            )


def row_is_switched_off_before_it_leaves(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """`installed: false` finds a row that is disabled already."""
    seen = None if intent.installed else _seen(looks, intent)
    standing = seen[1].found.row if seen else None
    if standing is not None and standing.get("enabled") is not False:
        yield Finding(
            subject=f"row {standing['id']} of Kong's plugins",
            wrong="is still enabled, and installed: false takes its files away: it would be in force until then, and "
            "call a TME that goes",
            mend="two steps. First `pulumi config set traceable-kong:installed true`, `pulumi config set "
            "traceable-kong:enabled false`, `pulumi up`; then `pulumi config set traceable-kong:installed false`, "
            "`pulumi up`",
        )
