"""Compares the plugin entity in Kong's database with what this stack writes. Pure."""

from collections.abc import Iterator

from traceable_kong.kong_admin.entity_changes import EntityState
from traceable_kong.kong_admin.plugin_schema import PluginSchema
from traceable_kong.kong_admin.plugin_target import PluginTarget, identity_differences
from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.plugin_model import Plugin, PluginEntity
from traceable_kong.verification.fix_commands import REPAIR
from traceable_kong.verification.kong_checks import differences
from traceable_kong.verification.written_plugin import WrittenPlugin


def written_entity(
    plugin: Plugin, entity: PluginEntity, found: EntityState | str, schema: PluginSchema | None
) -> WrittenPlugin:
    """`found` is a text if Kong could not be asked; without a `schema`, Kong's defaults are not compared."""
    target = entity.target
    name = f"plugin entity of {plugin.name} for {target.applies_to} in Kong's database (workspace {target.workspace})"
    if isinstance(found, str):
        return WrittenPlugin(name=name, exists=False, differences=(), fix=REPAIR, unreadable=found)
    return WrittenPlugin(
        name=name,
        exists=found.entity is not None,
        differences=tuple(_differences(plugin, target, found, schema)),
        fix=REPAIR,
    )


def _differences(
    plugin: Plugin, target: PluginTarget, found: EntityState, schema: PluginSchema | None
) -> Iterator[str]:
    if found.entity is None:
        missing = "" if found.scope is not None else f", and neither does {target.applies_to}"
        yield f"it does not exist{missing}"
        return
    yield from identity_differences(target, found.scope, found.entity)
    yield from differences(plugin, found.entity, schema)


def entity_notes(desired: DesiredState, found: EntityState | str) -> Iterator[str]:
    """The entities of the same plugin for other routes that are not managed by this stack."""
    if isinstance(found, EntityState) and desired.installed and not desired.plugin.everywhere and found.others:
        ids = ", ".join(str(entity.get("id")) for entity in found.others)
        yield f"this workspace has other entities of {desired.plugin.name}, not managed by this stack: {ids}"
