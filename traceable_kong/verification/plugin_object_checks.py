"""Compares the KongClusterPlugin with what this stack writes, and finds fields that others added. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.common.commands import kubectl_remove
from traceable_kong.kong_admin.plugin_schema import option_differences
from traceable_kong.kong_admin.plugin_target import current
from traceable_kong.plan.plugin_model import KongClusterPlugin, Plugin
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.verification.fix_commands import REPAIR
from traceable_kong.verification.written_plugin import WrittenPlugin

WRITTEN = frozenset(("apiVersion", "kind", "metadata", "plugin", "config", "disabled", "status"))
"""The fields of a KongClusterPlugin that this stack writes, or that have no effect."""


def written_object(plugin: Plugin, resource: KongClusterPlugin, found: Mapping[str, Any] | None) -> WrittenPlugin:
    """`found` is None if it does not exist."""
    name = f"KongClusterPlugin {resource.name}"
    if found is None:
        return WrittenPlugin(name=name, exists=False, differences=("it does not exist",), fix=REPAIR)
    return WrittenPlugin(
        name=name,
        exists=True,
        differences=tuple(_differences(plugin, resource, found)),
        fix=_fix(plugin, resource, found),
    )


def _differences(plugin: Plugin, resource: KongClusterPlugin, found: Mapping[str, Any]) -> Iterator[str]:
    metadata = found["metadata"]
    ingress_class = (metadata.get("annotations") or {}).get(INGRESS_CLASS)
    everywhere = _is_global(found)
    if found.get("plugin") != plugin.name:
        yield f"it is the plugin {found.get('plugin')}"
    if ingress_class != resource.ingress_class:
        yield f"its ingress class is {ingress_class!r} instead of {resource.ingress_class!r}"
    if everywhere != plugin.everywhere:
        yield "it is for all routes" if everywhere else "it is not for all routes (label global)"
    if "deletionTimestamp" in metadata:
        yield "it is being deleted"
    if bool(found.get("disabled")) == plugin.enabled:
        yield "it is disabled" if plugin.enabled else "it is enabled"
    yield from option_differences(None, plugin.config, current(found.get("config") or {}, plugin.config))
    for path in _added(plugin, found):
        yield f"{path} is set, and this stack does not set it"


def _is_global(found: Mapping[str, Any]) -> bool:
    return bool((found["metadata"].get("labels") or {}).get("global") == "true")


def _added(plugin: Plugin, found: Mapping[str, Any]) -> list[str]:
    """The fields that other clients added, as JSON pointers: the API server fills in no defaults here."""
    top_level = [f"/{key}" for key, value in found.items() if key not in WRITTEN and value]
    return sorted([*top_level, *_added_options(plugin.config, found.get("config") or {}, "/config")])


def _added_options(wanted: Mapping[str, Any], found: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, value in found.items():
        pointer = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in wanted:
            if value is not None:
                yield pointer
        elif isinstance(value, Mapping) and isinstance(wanted[key], Mapping):
            yield from _added_options(wanted[key], value, pointer)


def _fix(plugin: Plugin, resource: KongClusterPlugin, found: Mapping[str, Any]) -> str:
    """A field that another client added is not managed by this stack: no update of this stack removes it."""
    added = _added(plugin, found)
    if _is_global(found) and not plugin.everywhere:
        added.append("/metadata/labels/global")
    if not added:
        return REPAIR
    operations = [{"op": "remove", "path": path} for path in added]
    return f"{kubectl_remove('kongclusterplugin', resource.name, operations)}, then {REPAIR}"
