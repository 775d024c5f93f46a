"""Checks whether the KongClusterPlugin is what this stack writes, and has no other field. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.common.commands import kubectl_remove
from traceable_kong.kong_admin.plugin_schema import option_differences
from traceable_kong.kong_admin.plugin_target import standing
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.verification.desired_state import DesiredState
from traceable_kong.verification.fix_commands import REPAIR
from traceable_kong.verification.report import Check

WRITTEN = frozenset(("apiVersion", "kind", "metadata", "plugin", "config", "disabled", "status"))
"""The fields of a KongClusterPlugin that this stack writes, or that have no effect."""


def object_check(desired: DesiredState, found: Mapping[str, Any] | None) -> Check:
    """The object as it is in the cluster: for a moment, a Kong can still use what it had before."""
    name = f"KongClusterPlugin {desired.plugin_object}"
    problem = _problem(desired, found)
    return Check(
        pod="",
        name="object",
        ok=not problem,
        expected=f"{name} as this stack writes it" if desired.installed else f"no {name}",
        found=problem or "that",
        fix=_fix(desired, found) if desired.installed else "`pulumi up`",
        permanent=desired.installed,
    )


def _problem(desired: DesiredState, found: Mapping[str, Any] | None) -> str:
    if not desired.installed:
        return "it exists" if found else ""
    if found is None:
        return "it does not exist"
    metadata = found["metadata"]
    ingress_class = (metadata.get("annotations") or {}).get(INGRESS_CLASS)
    everywhere = _is_global(found)
    problems = []
    if found.get("plugin") != desired.plugin:
        problems.append(f"it is the plugin {found.get('plugin')}")
    if ingress_class != desired.ingress_class:
        problems.append(f"its ingress class is {ingress_class!r} instead of {desired.ingress_class!r}")
    if everywhere != desired.everywhere:
        problems.append("it is for all routes" if everywhere else "it is not for all routes (label global)")
    if "deletionTimestamp" in metadata:
        problems.append("it is being deleted")
    if bool(found.get("disabled")) == desired.enabled:
        problems.append("it is disabled" if desired.enabled else "it is enabled")
    written = standing(found.get("config") or {}, desired.config)
    problems += option_differences(None, desired.config, written)
    problems += [f"{path} is set, and this stack does not set it" for path in _added(desired, found)]
    return "; ".join(problems)


def _is_global(found: Mapping[str, Any]) -> bool:
    return bool((found["metadata"].get("labels") or {}).get("global") == "true")


def _added(desired: DesiredState, found: Mapping[str, Any]) -> list[str]:
    """The fields that other clients added, as JSON pointers: the API server fills in no defaults here."""
    top_level = [f"/{key}" for key, value in found.items() if key not in WRITTEN and value]
    return sorted([*top_level, *_added_options(desired.config, found.get("config") or {}, "/config")])


def _added_options(wanted: Mapping[str, Any], found: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, value in found.items():
        pointer = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in wanted:
            if value is not None:
                yield pointer
        elif isinstance(value, Mapping) and isinstance(wanted[key], Mapping):
            yield from _added_options(wanted[key], value, pointer)


def _fix(desired: DesiredState, found: Mapping[str, Any] | None) -> str:
    """A field that another client added is not managed by this stack: no update of this stack removes it."""
    added = _added(desired, found) if found else []
    if found and _is_global(found) and not desired.everywhere:
        added.append("/metadata/labels/global")
    if not added:
        return REPAIR
    operations = [{"op": "remove", "path": path} for path in added]
    return f"{kubectl_remove('kongclusterplugin', desired.plugin_object, operations)}, then {REPAIR}"
