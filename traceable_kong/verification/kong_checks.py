"""Checks whether a pod's Kong has loaded the plugin, and lists exactly what this stack configures. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.kong_admin.plugin_schema import PluginSchema, field_differences, option_differences
from traceable_kong.verification.desired_state import DesiredState
from traceable_kong.verification.fix_commands import REPAIR
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
    kong = pod.kong
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
    version = kong.available.get(desired.plugin)
    yield Check(
        pod=pod.name,
        name="loaded",
        ok=version == desired.plugin_version,
        expected=f"{desired.plugin} {desired.plugin_version} loaded by this Kong",
        found=f"{desired.plugin} {version}" if version else f"this Kong does not know {desired.plugin}",
        fix="new pods of the newest revision load it: `kubectl rollout restart deployment "
        f"{desired.deployment} --namespace {desired.namespace}`",
    )
    yield _configured(desired, pod, kong, is_own)
    # While the plugin is disabled, an enabled one on a single route removes no protection.
    if desired.everywhere and desired.enabled:
        yield _override(desired, pod)


def is_everywhere(instance: Mapping[str, Any]) -> bool:
    """True if an instance of a plugin is bound to no route, service, consumer or consumer group."""
    return not any(instance.get(key) for key in ("route", "service", "consumer", "consumer_group"))


def differences(desired: DesiredState, instance: Mapping[str, Any], schema: PluginSchema | None) -> Iterator[str]:
    """How an instance differs from what this stack writes, Kong's defaults included, in words."""
    if bool(instance.get("enabled", True)) != desired.enabled:
        yield "it is disabled" if desired.enabled else "it is enabled"
    yield from option_differences(schema, desired.config, instance.get("config") or {})
    protocols = sorted(instance.get("protocols") or [])
    by_controller = desired.database is None and protocols == CONTROLLERS_PROTOCOLS
    yield from field_differences(schema, {**instance, "protocols": None} if by_controller else instance)


def _configured(desired: DesiredState, pod: PodObservation, kong: KongAnswer, is_own: OwnInstance) -> Check:
    instances = [item for item in kong.plugins if item.get("name") == desired.plugin]
    everywhere = [item for item in instances if is_everywhere(item)]
    own = [item for item in instances if is_own(item)]
    if desired.database is not None and not desired.everywhere:
        return _scoped_entity(desired, own, pod, kong)
    # With scope selected, instances that are not this stack's are on other routes, and the business of their owners.
    compared = everywhere if desired.everywhere else own
    problems = [text for item in compared for text in differences(desired, item, kong.schema)]
    if desired.everywhere and not everywhere:
        problems = [f"Kong lists no {desired.plugin} for all routes{_class_hint(desired, pod)}"]
    elif everywhere and not desired.everywhere:
        problems.append(f"Kong lists {desired.plugin} for all routes, and scope is selected")
    if not desired.everywhere:
        problems += [
            f"{_scope(desired, item)}: for requests of one consumer only (a KongConsumer names the plugin)"
            for item in compared
            if item.get("consumer") or item.get("consumer_group")
        ]
    return _plugin_check(desired, pod, problems)


def _scoped_entity(desired: DesiredState, own: list[dict[str, Any]], pod: PodObservation, kong: KongAnswer) -> Check:
    problems = [text for item in own for text in differences(desired, item, kong.schema)]
    return _plugin_check(desired, pod, problems if own else [f"Kong lists no {desired.plugin} of this stack"])


def _plugin_check(desired: DesiredState, pod: PodObservation, problems: list[str]) -> Check:
    return Check(
        pod=pod.name,
        name="plugin",
        ok=not problems,
        expected=f"{desired.plugin} {'enabled' if desired.enabled else 'disabled'}, "
        + ", ".join(f"{key} {value!r}" for key, value in desired.config.items()),
        found="; ".join(problems) or "this",
        fix=REPAIR
        if desired.database
        else f"`kubectl describe kongclusterplugin {desired.plugin_object}` shows what the ingress controller "
        f"reported. If it was changed or deleted: {REPAIR}",
    )


def _class_hint(desired: DesiredState, pod: PodObservation) -> str:
    """The most common reason, if the pod's own controller shows it; no controller writes plugin entities."""
    if desired.database is not None:
        return ""
    for container in pod.document["spec"]["containers"]:
        for item in container.get("env") or []:
            if item["name"] == "CONTROLLER_INGRESS_CLASS" and item.get("value") != desired.ingress_class:
                return (
                    f": its controller reads the ingress class {item.get('value')!r}, and the plugin has "
                    f"{desired.ingress_class!r}"
                )
    return ""


def overrides(desired: DesiredState, pod: PodObservation) -> list[str]:
    """The instances with a narrower scope that differ from this stack's: Kong uses them instead."""
    kong = pod.kong
    if isinstance(kong, str) or not desired.everywhere:
        return []
    narrower = [item for item in kong.plugins if item.get("name") == desired.plugin and not is_everywhere(item)]
    return [
        f"{_scope(desired, item)}: {'; '.join(texts)}"
        for item in narrower
        if (texts := list(differences(desired, item, kong.schema)))
    ]


def _override(desired: DesiredState, pod: PodObservation) -> Check:
    found = overrides(desired, pod)
    return Check(
        pod=pod.name,
        name="override",
        ok=not found,
        expected=f"no {desired.plugin} with other options on a single route, service or consumer",
        found=", ".join(found) or "none",
        fix="Kong uses the one with the narrower scope: "
        + (
            "delete that plugin entity (`DELETE /plugins/ID` of Kong's Admin API)"
            if desired.database
            else "delete that KongPlugin, or the annotation konghq.com/plugins that names it; "
            "`kubectl get kongplugins --all-namespaces` lists them"
        ),
    )


def _scope(desired: DesiredState, instance: Mapping[str, Any]) -> str:
    entity = f" (plugin entity {instance.get('id')})" if desired.database else ""
    for key in ("route", "service", "consumer", "consumer_group"):
        if instance.get(key):
            return f"{key} {instance[key].get('name') or instance[key].get('id')}{entity}"
    return f"everywhere{entity}"
