"""Whether a pod's Kong has loaded the plugin and lists it as this stack writes it, no more and no less. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.kong_admin.plugin_schema import PluginSchema, field_differences, option_differences
from traceable_kong.verification.desired_state import DesiredState
from traceable_kong.verification.kong_observation import KongAnswer
from traceable_kong.verification.observation import Counts, PodObservation
from traceable_kong.verification.report import Check

REPAIR = "`pulumi up --refresh`"


CONTROLLERS_PROTOCOLS = ["http", "https"]
"""What the ingress controller fills in where the plugin's own schema says nothing (KIC 3.4, `deckgen.fillPlugin`)."""


def unknown_defaults(pods: list[PodObservation]) -> Iterator[str]:
    """Reasons why only a part of what a Kong lists could be compared."""
    for pod in pods:
        if not isinstance(pod.kong, str) and pod.kong.schema_problem:
            yield (
                f"what this stack leaves at Kong's defaults, in {pod.name}: Kong does not show the plugin's schema "
                f"({pod.kong.schema_problem})"
            )


def kong_checks(expected: DesiredState, pod: PodObservation, counts: Counts) -> Iterator[Check]:
    """Whether a pod's Kong has loaded the plugin, and lists it as configured."""
    said = pod.kong
    if isinstance(said, str):
        yield Check(
            pod=pod.name,
            name="loaded",
            ok=False,
            expected="an answer of this Kong's Admin API",
            found=said,
            mend="the Admin API is asked by a port-forward into the pod; see docs/verify.md",
        )
        return
    version = said.available.get(expected.plugin)
    yield Check(
        pod=pod.name,
        name="loaded",
        ok=version == expected.plugin_version,
        expected=f"{expected.plugin} {expected.plugin_version} loaded by this Kong",
        found=f"{expected.plugin} {version}" if version else f"this Kong does not know {expected.plugin}",
        mend="new pods of the newest revision load it: `kubectl rollout restart deployment "
        f"{expected.deployment} --namespace {expected.namespace}`",
    )
    yield _configured(expected, pod, said, counts)
    # While the plugin is off, another one in force somewhere takes no protection away.
    if expected.everywhere and expected.enabled:
        yield _override(expected, pod)


def is_everywhere(instance: Mapping[str, Any]) -> bool:
    """True for an instance of a plugin that is bound to nothing narrower than the gateway."""
    return not any(instance.get(key) for key in ("route", "service", "consumer", "consumer_group"))


def differences(expected: DesiredState, instance: Mapping[str, Any], schema: PluginSchema | None) -> Iterator[str]:
    """What of an instance is not as this stack writes it, Kong's defaults included, in words."""
    if bool(instance.get("enabled", True)) != expected.enabled:
        yield "it is disabled" if expected.enabled else "it is enabled"
    yield from option_differences(schema, expected.config, instance.get("config") or {})
    protocols = sorted(instance.get("protocols") or [])
    by_controller = expected.database is None and protocols == CONTROLLERS_PROTOCOLS
    yield from field_differences(schema, {**instance, "protocols": None} if by_controller else instance)


def _configured(expected: DesiredState, pod: PodObservation, said: KongAnswer, counts: Counts) -> Check:
    instances = [item for item in said.plugins if item.get("name") == expected.plugin]
    everywhere = [item for item in instances if is_everywhere(item)]
    # Other narrower ones are for other routes, and their owners' business.
    ours = [item for item in instances if counts(item)]
    if expected.database is not None and not expected.everywhere:
        return _one_row(expected, ours, pod, said)
    instances = everywhere if expected.everywhere else ours
    wrong = [text for item in instances for text in differences(expected, item, said.schema)]
    if expected.everywhere and not everywhere:
        wrong = [f"Kong lists no {expected.plugin} for all routes{_class_hint(expected, pod)}"]
    elif everywhere and not expected.everywhere:
        wrong.append(f"Kong lists {expected.plugin} for all routes, and scope is selected")
    if not expected.everywhere:
        wrong += [
            f"{_where(expected, item)}: for requests of one consumer only (of a KongConsumer that names the plugin)"
            for item in instances
            if item.get("consumer") or item.get("consumer_group")
        ]
    return _plugin_check(expected, pod, wrong)


def _plugin_check(expected: DesiredState, pod: PodObservation, wrong: list[str]) -> Check:
    return Check(
        pod=pod.name,
        name="plugin",
        ok=not wrong,
        expected=f"{expected.plugin} {'enabled' if expected.enabled else 'disabled'}, "
        + ", ".join(f"{key} {value!r}" for key, value in expected.config.items()),
        found="; ".join(wrong) or "this",
        mend=REPAIR
        if expected.database
        else f"`kubectl describe kongclusterplugin {expected.plugin_object}` shows what the ingress controller said; "
        f"where it was changed or removed by hand: {REPAIR}",
    )


def _one_row(expected: DesiredState, ours: list[dict[str, Any]], pod: PodObservation, said: KongAnswer) -> Check:
    wrong = [text for item in ours for text in differences(expected, item, said.schema)]
    return _plugin_check(expected, pod, wrong if ours else [f"Kong lists no {expected.plugin} of this stack"])


def _class_hint(expected: DesiredState, pod: PodObservation) -> str:
    """The commonest reason, where the pod's own controller shows it; it has no say in rows."""
    if expected.database is not None:
        return ""
    for container in pod.document["spec"]["containers"]:
        for item in container.get("env") or []:
            if item["name"] == "CONTROLLER_INGRESS_CLASS" and item.get("value") != expected.ingress_class:
                return (
                    f": its controller reads the ingress class {item.get('value')!r}, and the plugin has "
                    f"{expected.ingress_class!r}"
                )
    return ""


def overrides(expected: DesiredState, pod: PodObservation) -> list[str]:
    """The narrower instances that are not as this stack writes its own one for all routes: Kong uses them instead."""
    said = pod.kong
    if isinstance(said, str) or not expected.everywhere:
        return []
    narrower = [item for item in said.plugins if item.get("name") == expected.plugin and not is_everywhere(item)]
    return [
        f"{_where(expected, item)}: {'; '.join(texts)}"
        for item in narrower
        if (texts := list(differences(expected, item, said.schema)))
    ]


def _override(expected: DesiredState, pod: PodObservation) -> Check:
    wrong = overrides(expected, pod)
    return Check(
        pod=pod.name,
        name="override",
        ok=not wrong,
        expected=f"no {expected.plugin} on a single route, service or consumer that says something else",
        found=", ".join(wrong) or "none",
        mend="Kong uses the narrower one there: "
        + (
            "delete that row (`DELETE /plugins/ID` of Kong's Admin API)"
            if expected.database
            else "remove that KongPlugin, or the annotation konghq.com/plugins that names it; "
            "`kubectl get kongplugins --all-namespaces` shows them"
        ),
    )


def _where(expected: DesiredState, instance: Mapping[str, Any]) -> str:
    row = f" (row {instance.get('id')})" if expected.database else ""
    for key in ("route", "service", "consumer", "consumer_group"):
        if instance.get(key):
            return f"{key} {instance[key].get('name') or instance[key].get('id')}{row}"
    return f"everywhere{row}"
