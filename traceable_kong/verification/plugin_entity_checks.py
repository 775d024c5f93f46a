"""Whether the plugin's row in Kong's database is what is expected of it. Pure."""

from collections.abc import Iterator

from traceable_kong.kong_admin.entity_changes import Found
from traceable_kong.kong_admin.plugin_schema import PluginSchema
from traceable_kong.kong_admin.plugin_target import PluginTarget, elsewhere
from traceable_kong.verification.desired_state import Database, DesiredState
from traceable_kong.verification.kong_checks import REPAIR, differences
from traceable_kong.verification.report import Check


def row_check(expected: DesiredState, database: Database, seen: Found | str, schema: PluginSchema | None) -> Check:
    """The row as it is written: each Kong loads it by itself, and goes on for a moment with what it loaded before."""
    name = _named(expected, database.place)
    wrong = seen if isinstance(seen, str) else _wrong(expected, database.place, seen, schema)
    return Check(
        pod="",
        name="object",
        ok=not wrong,
        expected=f"{name} as this stack writes it" if expected.installed else f"without {name}",
        found=wrong or "that",
        mend=REPAIR if expected.installed else "pulumi up",
        lasting=expected.installed and not isinstance(seen, str),
    )


def _named(expected: DesiredState, place: PluginTarget) -> str:
    return f"the row of {expected.plugin} for {place.reach} in Kong's database (workspace {place.workspace})"


def _wrong(expected: DesiredState, place: PluginTarget, seen: Found, schema: PluginSchema | None) -> str:
    if not expected.installed:
        return f"it is there ({seen.row['id']})" if seen.row else ""
    if seen.row is None:
        return "there is none" if seen.bound is not None else f"there is none, and no {place.reach} either"
    other = elsewhere(place, seen.bound, seen.row)
    return "; ".join([*([other] if other else []), *differences(expected, seen.row, schema)])


def row_notes(expected: DesiredState, seen: Found | str | None) -> Iterator[str]:
    """Rows of the same plugin that are somebody else's, and for something else."""
    if isinstance(seen, Found) and expected.installed and not expected.everywhere and seen.others:
        ids = ", ".join(str(row.get("id")) for row in seen.others)
        yield f"also in this workspace, and not this stack's: {expected.plugin} in {ids}"
