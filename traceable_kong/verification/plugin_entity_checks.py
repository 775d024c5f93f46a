"""Checks whether the plugin entity in Kong's database is what this stack writes. Pure."""

from collections.abc import Iterator

from traceable_kong.kong_admin.entity_changes import Found
from traceable_kong.kong_admin.plugin_schema import PluginSchema
from traceable_kong.kong_admin.plugin_target import PluginTarget, elsewhere
from traceable_kong.verification.desired_state import Database, DesiredState
from traceable_kong.verification.fix_commands import REPAIR
from traceable_kong.verification.kong_checks import differences
from traceable_kong.verification.report import Check


def entity_check(desired: DesiredState, database: Database, found: Found | str, schema: PluginSchema | None) -> Check:
    """The entity as it is in the database: for a moment, a Kong can still use what it loaded before.

    `found` is a text if Kong could not be asked.
    """
    place = database.place
    name = f"plugin entity of {desired.plugin} for {place.reach} in Kong's database (workspace {place.workspace})"
    problem = found if isinstance(found, str) else _problem(desired, place, found, schema)
    return Check(
        pod="",
        name="object",
        ok=not problem,
        expected=f"{name} as this stack writes it" if desired.installed else f"no {name}",
        found=problem or "that",
        fix=REPAIR if desired.installed else "`pulumi up`",
        permanent=desired.installed and not isinstance(found, str),
    )


def _problem(desired: DesiredState, place: PluginTarget, found: Found, schema: PluginSchema | None) -> str:
    if not desired.installed:
        return f"it exists ({found.row['id']})" if found.row else ""
    if found.row is None:
        return "it does not exist" if found.bound is not None else f"it does not exist, and neither does {place.reach}"
    scope = elsewhere(place, found.bound, found.row)
    return "; ".join([*([scope] if scope else []), *differences(desired, found.row, schema)])


def entity_notes(desired: DesiredState, found: Found | str | None) -> Iterator[str]:
    """The entities of the same plugin for other routes that are not managed by this stack."""
    if isinstance(found, Found) and desired.installed and not desired.everywhere and found.others:
        ids = ", ".join(str(entity.get("id")) for entity in found.others)
        yield f"this workspace has other entities of {desired.plugin}, not managed by this stack: {ids}"
