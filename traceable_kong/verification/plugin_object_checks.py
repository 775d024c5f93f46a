"""Whether the KongClusterPlugin is what this stack writes, no more and no less. Pure.

What Kong made of it is judging_kong.py; a plugin entity in a database is judging_row.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.common.commands import kubectl_remove
from traceable_kong.kong_admin.plugin_schema import option_differences
from traceable_kong.kong_admin.plugin_target import standing
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.verification.desired_state import DesiredState
from traceable_kong.verification.kong_checks import REPAIR
from traceable_kong.verification.report import Check

WRITTEN = frozenset(("apiVersion", "kind", "metadata", "plugin", "config", "disabled", "status"))
"""The fields of a KongClusterPlugin that this stack writes, or nobody reads."""


def object_check(expected: DesiredState, found: Mapping[str, Any] | None) -> Check:
    """The plugin as it is written in the cluster: Kong may go on for a moment with one that was changed or removed."""
    name = f"the KongClusterPlugin {expected.plugin_object}"
    wrong = _wrong(expected, found)
    return Check(
        pod="",
        name="object",
        ok=not wrong,
        expected=f"{name} as this stack writes it" if expected.installed else f"without {name}",
        found=wrong or "that",
        mend=_repair(expected, found) if expected.installed else "pulumi up",
        lasting=expected.installed,
    )


def _wrong(expected: DesiredState, found: Mapping[str, Any] | None) -> str:
    if not expected.installed:
        return "it is there" if found else ""
    if found is None:
        return "there is none"
    metadata = found["metadata"]
    ingress_class = (metadata.get("annotations") or {}).get(INGRESS_CLASS)
    everywhere = _is_global(found)
    wrong = []
    if found.get("plugin") != expected.plugin:
        wrong.append(f"it is the plugin {found.get('plugin')}")
    if ingress_class != expected.ingress_class:
        wrong.append(f"its ingress class is {ingress_class!r} instead of {expected.ingress_class!r}")
    if everywhere != expected.everywhere:
        wrong.append("it is for all routes" if everywhere else "it is not for all routes (label global)")
    if "deletionTimestamp" in metadata:
        wrong.append("it is being deleted")
    if bool(found.get("disabled")) == expected.enabled:
        wrong.append("it is disabled" if expected.enabled else "it is enabled")
    written = standing(found.get("config") or {}, expected.config)
    wrong += option_differences(None, expected.config, written)
    return "; ".join([*wrong, *(f"{path} is set, and this stack does not set it" for path in _added(expected, found))])


def _is_global(found: Mapping[str, Any]) -> bool:
    return bool((found["metadata"].get("labels") or {}).get("global") == "true")


def _added(expected: DesiredState, found: Mapping[str, Any]) -> list[str]:
    """What other clients have set in the KongClusterPlugin, as paths: nothing fills in defaults there."""
    beside = [f"/{key}" for key, value in found.items() if key not in WRITTEN and value]
    return sorted([*beside, *_more(expected.config, found.get("config") or {}, "/config")])


def _more(wanted: Mapping[str, Any], found: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, value in found.items():
        here = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in wanted:
            if value is not None:
                yield here
        elif isinstance(value, Mapping) and isinstance(wanted[key], Mapping):
            yield from _more(wanted[key], value, here)


def _repair(expected: DesiredState, found: Mapping[str, Any] | None) -> str:
    """A field of another client is not managed by this stack, so the engine neither sees it nor takes it out."""
    added = _added(expected, found) if found else []
    if found and _is_global(found) and not expected.everywhere:
        added.append("/metadata/labels/global")
    if not added:
        return REPAIR
    operations = [{"op": "remove", "path": path} for path in added]
    return f"{kubectl_remove('kongclusterplugin', expected.plugin_object, operations)}, then {REPAIR}"
