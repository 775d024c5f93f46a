"""Checks whether a pod's Kong has loaded the plugin, and lists exactly what this stack configures. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.kong_admin.plugin_schema import PluginSchema, field_differences, option_differences
from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.plugin_model import Plugin
from traceable_kong.verification.fix_commands import REPAIR, restart_gateway
from traceable_kong.verification.kong_observation import KongAnswer
from traceable_kong.verification.pod_observation import OwnInstance, PodObservation
from traceable_kong.verification.report import Check

CONTROLLERS_PROTOCOLS = ["http", "https"]
"""The ingress controller's default, if the plugin's own schema has none (KIC 3.4, `deckgen.fillPlugin`)."""


def unknown_defaults(pods: list[PodObservation]) -> Iterator[str]:
    """Reasons why only the options that this stack sets could be compared."""
    for pod in pods:
        if not isinstance(pod.kong, str) and pod.kong.schema_problem:
            yield (
                f"what this stack leaves at Kong's defaults, in {pod.name}: Kong does not show the plugin's schema "
                f"({pod.kong.schema_problem})"
            )


def kong_checks(desired: DesiredState, pod: PodObservation, is_own: OwnInstance) -> Iterator[Check]:
    """The checks of what a pod's Kong reports."""
    plugin, kong = desired.plugin, pod.kong
    if isinstance(kong, str):
        yield Check(
            pod=pod.name,
            name="loaded",
            ok=False,
            expected="an answer of this Kong's Admin API",
            found=kong,
            fix="make the Admin API answer a port-forward into the pod (docs/verification.md)",
        )
        return
    version = kong.available.get(plugin.name)
    yield Check(
        pod=pod.name,
        name="loaded",
        ok=version == plugin.version,
        expected=f"{plugin.name} {plugin.version} loaded by this Kong",
        found=f"{plugin.name} {version}" if version else f"this Kong does not know {plugin.name}",
        fix=f"{restart_gateway(desired)}: new pods of the newest revision load it",
    )
    yield _configured(plugin, pod, kong, is_own)
    # While the plugin is disabled, an enabled one on a single route removes no protection.
    if plugin.everywhere and plugin.enabled:
        yield _override(plugin, pod)


def is_everywhere(instance: Mapping[str, Any]) -> bool:
    """True if an instance of a plugin is bound to no route, service, consumer or consumer group."""
    return not any(instance.get(key) for key in ("route", "service", "consumer", "consumer_group"))


def differences(plugin: Plugin, instance: Mapping[str, Any], schema: PluginSchema | None) -> Iterator[str]:
    """How an instance differs from what this stack writes, Kong's defaults included, in words."""
    if bool(instance.get("enabled", True)) != plugin.enabled:
        yield "it is disabled" if plugin.enabled else "it is enabled"
    yield from option_differences(schema, plugin.config, instance.get("config") or {})
    protocols = sorted(instance.get("protocols") or [])
    by_controller = plugin.custom_resource and protocols == CONTROLLERS_PROTOCOLS
    yield from field_differences(schema, {**instance, "protocols": None} if by_controller else instance)


def _configured(plugin: Plugin, pod: PodObservation, kong: KongAnswer, is_own: OwnInstance) -> Check:
    instances = [item for item in kong.plugins if item.get("name") == plugin.name]
    everywhere = [item for item in instances if is_everywhere(item)]
    own = [item for item in instances if is_own(item)]
    if plugin.everywhere:
        problems = [text for item in everywhere for text in differences(plugin, item, kong.schema)]
        if not everywhere:
            problems = [f"Kong lists no {plugin.name} for all routes{_class_hint(plugin, pod)}"]
    else:
        # Instances that are not this stack's are on other routes, and the business of their owners.
        problems = [text for item in own for text in differences(plugin, item, kong.schema)]
        if plugin.entity:
            problems = problems if own else [f"Kong lists no {plugin.name} of this stack"]
        else:
            problems += _wrong_scopes(plugin, own, everywhere)
    return Check(
        pod=pod.name,
        name="plugin",
        ok=not problems,
        expected=f"{plugin.name} {'enabled' if plugin.enabled else 'disabled'}, "
        + ", ".join(f"{key} {value!r}" for key, value in plugin.config.items()),
        found="; ".join(problems) or "this",
        fix=f"`kubectl describe kongclusterplugin {plugin.custom_resource.name}` shows what the ingress controller "
        f"reported. If it was changed or deleted: {REPAIR}"
        if plugin.custom_resource
        else REPAIR,
    )


def _wrong_scopes(plugin: Plugin, own: list[dict[str, Any]], everywhere: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with the copies of a KongClusterPlugin on selected routes."""
    if everywhere:
        yield f"Kong lists {plugin.name} for all routes, and scope is selected"
    for item in own:
        if item.get("consumer") or item.get("consumer_group"):
            yield f"{_scope(plugin, item)}: for requests of one consumer only (a KongConsumer names the plugin)"


def _class_hint(plugin: Plugin, pod: PodObservation) -> str:
    """The most common reason, if the pod's own controller shows it; no controller writes plugin entities."""
    resource = plugin.custom_resource
    if resource is None:
        return ""
    for container in pod.document["spec"]["containers"]:
        for item in container.get("env") or []:
            if item["name"] == "CONTROLLER_INGRESS_CLASS" and item.get("value") != resource.ingress_class:
                return (
                    f": its controller reads the ingress class {item.get('value')!r}, and the plugin has "
                    f"{resource.ingress_class!r}"
                )
    return ""


def overrides(plugin: Plugin, pod: PodObservation) -> list[str]:
    """The instances with a narrower scope that differ from this stack's: Kong uses them instead."""
    kong = pod.kong
    if isinstance(kong, str) or not plugin.everywhere:
        return []
    narrower = [item for item in kong.plugins if item.get("name") == plugin.name and not is_everywhere(item)]
    return [
        f"{_scope(plugin, item)}: {'; '.join(texts)}"
        for item in narrower
        if (texts := list(differences(plugin, item, kong.schema)))
    ]


def _override(plugin: Plugin, pod: PodObservation) -> Check:
    found = overrides(plugin, pod)
    return Check(
        pod=pod.name,
        name="override",
        ok=not found,
        expected=f"no {plugin.name} with other options on a single route, service or consumer",
        found=", ".join(found) or "none",
        fix="Kong uses the one with the narrower scope: "
        + (
            "delete that plugin entity (`DELETE /plugins/ID` of Kong's Admin API)"
            if plugin.entity
            else "delete that KongPlugin, or the annotation konghq.com/plugins that names it; "
            "`kubectl get kongplugins --all-namespaces` lists them"
        ),
    )


def _scope(plugin: Plugin, instance: Mapping[str, Any]) -> str:
    entity = f" (plugin entity {instance.get('id')})" if plugin.entity else ""
    for key in ("route", "service", "consumer", "consumer_group"):
        if instance.get(key):
            return f"{key} {instance[key].get('name') or instance[key].get('id')}{entity}"
    return f"everywhere{entity}"
