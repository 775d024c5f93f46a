"""Checks of the plugin entity in the running Kong: it can be written, its target is free, its options are known.

They pass before there is a Kong.
"""

import json
from collections.abc import Iterator

from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.kong_admin.admin_errors import (
    AdminError,
    DeploymentMissing,
    ErrorResponse,
    SecretMissing,
    Unavailable,
)
from traceable_kong.kong_admin.entity_changes import ownership_fix, ownership_problem
from traceable_kong.kong_admin.plugin_target import has_scope, owner_of, owns
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plan.plugin_model import PluginEntity
from traceable_kong.preflight.cached_reader import CachedReader, Entities
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.installation_record import recorded
from traceable_kong.preflight.option_versions import DISABLE_FIRST, fix_for_unknown_options, mounted, unknown_options
from traceable_kong.preflight.other_owners import belongs_to, ways_out


def _entities(reader: CachedReader, gateway: Gateway) -> tuple[PluginEntity, Entities] | None:
    """The plugin entities; None without a running Kong, or where it does not answer (`admin_api_accepts_changes`)."""
    entity = gateway.plugin.entity
    if entity is None or reader.get(gateway.kong.deployment.path) is None:
        return None
    try:
        return entity, reader.entities(entity.target, entity.endpoint)
    except AdminError:
        return None


def admin_api_accepts_changes(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Kong's Admin API answers, has the workspace, and accepts the token."""
    entity = gateway.plugin.entity
    if entity is None or reader.get(gateway.kong.deployment.path) is None:
        return
    try:
        reader.entities(entity.target, entity.endpoint)
    except (DeploymentMissing, SecretMissing):
        return  # Other checks report both.
    except ErrorResponse as problem:
        if problem.status == 404:
            yield Finding(
                subject="traceable-kong:kong.admin.workspace",
                problem=f"is {entity.target.workspace}, but Kong has no such workspace: {problem}",
                fix=f"Name another one: `{config_set('kong.admin.workspace', 'NAME')}`. Kong without workspaces has "
                "only `default`",
            )
            return
        yield Finding(
            subject="Kong's Admin API",
            problem=f"refuses this stack's requests: {problem}",
            fix="Correct kong.admin or the permissions of the token's role. Then run the command again",
            severity="warning" if problem.status >= 500 else "error",
        )
    except Unavailable as problem:
        # This update may be what repairs Kong.
        yield Finding(
            subject="Kong's Admin API",
            problem="could not be reached, so a problem with the plugin entity would only show when it is written: "
            f"{problem}",
            fix=f"`kubectl describe pods --namespace {gateway.kong.deployment.namespace}` shows why a pod is not "
            "ready. If Kong's Admin API has another address, set kong.admin.url",
            severity="warning",
        )
    except AdminError as problem:
        yield Finding(
            subject="Kong's Admin API",
            problem=f"is not as kong.admin describes it: {problem}",
            fix="Correct kong.admin",
        )


def target_is_free(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The entity's target exists, and no other stack or user has an entity there, unless it is to be adopted."""
    found = _entities(reader, gateway)
    if found is None or not gateway.installed:
        return
    entity, entities = found
    scope = entities.found.scope
    if scope is None:
        kind = "route" if entity.target.route else "service"
        yield Finding(
            subject=f"traceable-kong:kong.admin.{kind}",
            problem=f"names the {entity.target.applies_to}, which the workspace {entity.target.workspace} does not "
            "have. Nothing would be protected",
            fix=f"Name an existing one: `{config_set(f'kong.admin.{kind}', 'NAME')}`",
        )
        return
    for other in entities.found.others:
        if not has_scope(other, entity.target.plugin, scope):
            continue
        subject = f"plugin entity {other.get('id')} in Kong ({entity.target.plugin} for {entity.target.applies_to})"
        if entity.adopt and owner_of(other) is None:
            yield Finding(
                subject=subject,
                problem="is adopted by this stack (kong.admin.adopt). It gets this stack's fields and Kong's defaults "
                "for all others, and `pulumi destroy` deletes it",
                fix=f"Remove the key after this update: `{config_remove('kong.admin.adopt')}`",
                severity="warning",
            )
        elif owner := owner_of(other):
            yield Finding(
                subject=subject,
                problem=f"{belongs_to(plan, owner)}, and Kong allows only one. Both would overwrite it",
                fix=ways_out(plan, owner, instead="Use another kong.admin.workspace"),
            )
        else:
            yield Finding(subject=subject, problem=ownership_problem(other), fix=ownership_fix(other))


def current_entity_options_are_known(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The rock knows every option that this stack wrote to the current entity. Kong's defaults do not count."""
    found = _entities(reader, gateway)
    if found is None or not gateway.installed or found[1].found.entity is None:
        return
    current = found[1].found.entity
    record = recorded(reader, plan)
    try:
        written = set(json.loads(record.get("pluginConfig", "{}")))
    except (ValueError, TypeError, RecursionError):
        return
    config = {key: value for key, value in (current.get("config") or {}).items() if key in written}
    unknown = unknown_options(config, gateway.rock.version)
    if unknown:
        yield Finding(
            subject=f"plugin entity {current['id']} in Kong",
            problem=f"has {', '.join(unknown)}, which version {gateway.rock.version} does not know. Kong would "
            "ignore them, and refuse the entity",
            fix=fix_for_unknown_options(reader, plan, gateway, unknown, "plugin-entity"),
        )


def removed_plugins_have_no_other_entities(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Only this stack's entity uses a plugin whose files are removed: with another one, Kong would not start."""
    found = _entities(reader, gateway)
    live = reader.get(gateway.kong.deployment.path)
    if found is None or live is None:
        return
    removed = mounted(reader, plan, gateway, live) - (
        frozenset(gateway.rock.plugins) if gateway.installed else frozenset()
    )
    for item in found[1].all:
        if item.get("name") in removed and not owns(found[0].target, item):
            yield Finding(
                subject=f"plugin entity {item.get('id')} in Kong",
                problem=f"uses the plugin {item['name']}, whose files this update removes. Kong would not start with "
                "it",
                fix=f"Delete it (`DELETE /plugins/{item.get('id')}` of Kong's Admin API). Or keep the "
                f"current rock: `{config_set('plugin.version', 'VERSION')}`",
            )


def entity_is_disabled_before_uninstall(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Before `installed: false`, the plugin entity is disabled."""
    found = None if gateway.installed else _entities(reader, gateway)
    current = found[1].found.entity if found else None
    if current is not None and current.get("enabled") is not False:
        yield Finding(
            subject=f"plugin entity {current['id']} in Kong",
            problem="is still enabled, and installed: false removes its files. Until then it would call a TME that is "
            "removed",
            fix=DISABLE_FIRST,
        )
