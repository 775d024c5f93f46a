"""Compares the plugin entity in Kong's database with what this stack writes. Pure."""

from collections.abc import Iterator

from traceable_kong.kong_admin.entity_changes import Found
from traceable_kong.kong_admin.plugin_schema import PluginSchema
from traceable_kong.kong_admin.plugin_target import PluginTarget, elsewhere
from traceable_kong.plan.model import DesiredState, Plugin, PluginEntity
from traceable_kong.verification.fix_commands import REPAIR
from traceable_kong.verification.kong_checks import differences
from traceable_kong.verification.written_plugin import WrittenPlugin


def written_entity(
    plugin: Plugin, entity: PluginEntity, found: Found | str, schema: PluginSchema | None
) -> WrittenPlugin:
    """`found` is a text if Kong could not be asked; without a `schema`, Kong's defaults are not compared."""
    target = entity.target
    name = f"plugin entity of {plugin.name} for {target.reach} in Kong's database (workspace {target.workspace})"
    if isinstance(found, str):
        return WrittenPlugin(name=name, exists=False, differences=(), fix=REPAIR, unreadable=found)
    return WrittenPlugin(
        name=name,
        exists=found.row is not None,
        differences=tuple(_differences(plugin, target, found, schema)),
        fix=REPAIR,
    )


def _differences(plugin: Plugin, target: PluginTarget, found: Found, schema: PluginSchema | None) -> Iterator[str]:
    if found.row is None:
        yield "it does not exist" if found.bound is not None else f"it does not exist, and neither does {target.reach}"
        return
    if scope := elsewhere(target, found.bound, found.row):
        yield scope
    yield from differences(plugin, found.row, schema)


def entity_notes(desired: DesiredState, found: Found | str) -> Iterator[str]:
    """The entities of the same plugin for other routes that are not managed by this stack."""
    if isinstance(found, Found) and desired.installed and not desired.plugin.everywhere and found.others:
        ids = ", ".join(str(entity.get("id")) for entity in found.others)
        yield f"this workspace has other entities of {desired.plugin.name}, not managed by this stack: {ids}"
