"""Checks of Kong's Deployment, an existing one or one that a chart will create: it runs Kong, and it can roll."""

import re
from collections.abc import Iterator

from traceable_kong.cluster.api_objects import NAMESPACES, name_of
from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.common.image_references import ImageReferenceError, image_name, parse_image
from traceable_kong.helm_values.rendered_chart import RenderedChart
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding, deployment_subject
from traceable_kong.preflight.kong_pod import kong_container

OTHER_KINDS = {"daemonsets": "DaemonSet", "statefulsets": "StatefulSet"}

OLDEST_KONG = (3, 4)
"""The plugin's minimum Kong Gateway (https://developer.konghq.com/plugins/harness-waap/)."""


def kong_runs_in_a_deployment(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The Deployment that the config names exists, or the chart creates it."""
    kong = gateway.kong
    if isinstance(kong, ManagedKong):
        chart = reader.rendered(kong.release.key)
        if chart is not None and reader.next_deployment(kong) is None:
            yield _not_created(chart, kong)
        return
    deployment = kong.deployment
    if reader.get(deployment.path) is not None:
        return
    where = deployment_subject(deployment)
    for plural, kind in OTHER_KINDS.items():
        path = f"/apis/apps/v1/namespaces/{deployment.namespace}/{plural}/{deployment.name}"
        if reader.get(path) is not None:
            yield Finding(
                subject=where,
                problem=f"is a {kind}. This program can only roll and verify a Deployment, so its pods would be "
                "unprotected",
                fix="Run this Kong as a Deployment (chart value deployment.daemonset false)",
            )
            return
    missing = reader.get(f"{NAMESPACES}/{deployment.namespace}") is None
    yield Finding(
        subject=where,
        problem=f"is missing{', and so is the namespace' if missing else ''}, and kong.install is false. There is no "
        "Kong to configure",
        fix="Find it: `kubectl get deployments --all-namespaces`. Then name it: "
        f"`{config_set('kong.deployment', 'NAME')}` (and kong.namespace)",
    )


def _not_created(chart: RenderedChart, kong: ManagedKong) -> Finding:
    """The chart creates the gateway as something else, somewhere else, or not at all."""
    where, name = deployment_subject(kong.deployment), kong.deployment.name
    for kind in OTHER_KINDS.values():
        if any(name_of(item) == name for item in chart.of_kind(kind)):
            return Finding(
                subject=where,
                problem=f"would be a {kind}. This program can only roll and verify a Deployment, so its pods would be "
                "unprotected",
                fix=f"Remove it: `{config_remove('kongValues.deployment.daemonset')}`",
            )
    made = [f"{item['metadata'].get('namespace', '')}/{name_of(item)}" for item in chart.of_kind("Deployment")]
    created = f"the Deployment {', '.join(made)}" if made else "no Deployment"
    return Finding(
        subject=where,
        problem=f"would not be created: with these kongValues the chart creates {created}. This program would wait for "
        "a gateway that does not exist",
        fix="Remove the value that moves or renames it. The name of the release is kong.release, the namespace "
        "kong.namespace, the chart of a gateway and its controller in one Deployment `kong`",
    )


def deployment_can_roll(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The Deployment has pods, and a change of its template creates new ones while old ones serve."""
    found = reader.next_deployment(gateway.kong)
    if found is None:
        return
    where = deployment_subject(gateway.kong.deployment)
    spec, name = found["spec"], gateway.kong.deployment.name
    at = f"--namespace {gateway.kong.deployment.namespace}"
    managed = isinstance(gateway.kong, ManagedKong)
    if spec.get("replicas", 1) == 0:
        yield Finding(
            subject=where,
            problem=f"has zero replicas{' (kongValues.replicaCount)' if managed else ''}. Without a pod, the "
            "verification cannot check the plugin",
            fix=f"Set it to 1 or more: `{config_set('kongValues.replicaCount', '1')}`"
            if managed
            else f"Scale it: `kubectl scale deployment {name} {at} --replicas 1`",
        )
    if spec.get("paused"):
        yield Finding(
            subject=where,
            problem="is paused. Its pods would not change",
            fix=f"Resume it: `kubectl rollout resume deployment {name} {at}`",
        )
    yield from _strategy(where, spec.get("strategy") or {}, managed=managed)
    yield from _scaling(reader, gateway, where)


def _strategy(where: str, strategy: Document, *, managed: bool) -> Iterator[Finding]:
    setting = "kongValues.updateStrategy" if managed else "its strategy"
    rolling = strategy.get("rollingUpdate") or {}
    if strategy.get("type") == "Recreate":
        yield Finding(
            subject=where,
            problem=f"stops all of its pods before it starts new ones ({setting} is Recreate). Each rollout of this "
            "stack would be an outage of the gateway",
            fix="Use the type RollingUpdate",
            severity="warning",
        )
    elif _is_none(rolling.get("maxSurge")) and _is_none(rolling.get("maxUnavailable")):
        yield Finding(
            subject=where,
            problem=f"may neither add a pod nor remove one ({setting} has maxSurge 0 and maxUnavailable 0). The API "
            "server refuses such a Deployment",
            fix="Set maxSurge to 1",
        )


def _is_none(value: object) -> bool:
    return value is not None and re.fullmatch(r"0+%?", str(value)) is not None


def _scaling(reader: CachedReader, gateway: Gateway, where: str) -> Iterator[Finding]:
    """The API server accepts the chart's autoscaler and disruption budget, and they keep at least one pod."""
    chart = reader.rendered("kong")
    for item in chart.of_kind("PodDisruptionBudget") if chart else ():
        limits = [key for key in ("minAvailable", "maxUnavailable") if (item.get("spec") or {}).get(key) is not None]
        if len(limits) > 1:
            yield Finding(
                subject=f"poddisruptionbudget {name_of(item)} in namespace {gateway.kong.deployment.namespace}",
                problem="would have both minAvailable and maxUnavailable (kongValues.podDisruptionBudget). The API "
                "server refuses it",
                fix=f"Remove one of them: `{config_remove('kongValues.podDisruptionBudget.minAvailable')}`",
            )
    for item in chart.of_kind("HorizontalPodAutoscaler") if chart else ():
        spec = item.get("spec") or {}
        if (spec.get("scaleTargetRef") or {}).get("name") != gateway.kong.deployment.name:
            continue
        smallest, largest = (_number(spec.get(key, 1)) for key in ("minReplicas", "maxReplicas"))
        if smallest < 1 or largest < smallest:
            yield Finding(
                subject=where,
                problem=f"has an autoscaler from {smallest} to {largest} replicas "
                "(kongValues.autoscaling.minReplicas and maxReplicas). The API server refuses it, or no pod serves",
                fix="Set minReplicas to 1 or more, and maxReplicas to at least as many",
            )


def _number(value: object) -> int:
    text = str(value)
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else 1


def one_container_runs_kong(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Exactly one container of the Deployment runs Kong, and it is the configured one."""
    found = reader.next_deployment(gateway.kong)
    if found is None:
        return
    kong, where = gateway.kong, deployment_subject(gateway.kong.deployment)
    containers = found["spec"]["template"]["spec"]["containers"]
    names = [item["name"] for item in containers]
    if isinstance(kong, ManagedKong):
        if kong.deployment.container not in names:
            yield Finding(
                subject=where,
                problem=f"would have no container {kong.deployment.container} (only {', '.join(names)}), so there "
                "would be no gateway to protect",
                fix=f"Remove it: `{config_remove('kongValues.deployment.kong.enabled')}`",
            )
        return
    setting = f"Name the container: `{config_set('kong.container', 'NAME')}`"
    if kong.deployment.container not in names:
        yield Finding(
            subject=where,
            problem=f"has no container {kong.deployment.container} (it has {', '.join(names)}). Which "
            "container runs Kong cannot be determined",
            fix=setting,
        )
        return
    meant = [item["name"] for item in containers if _is_kong(item)]
    if len(meant) > 1 and not kong.container_configured:
        yield Finding(
            subject=where,
            problem=f"runs Kong in {len(meant)} containers ({', '.join(meant)}). Which one serves cannot be determined",
            fix=setting,
        )
    elif meant and kong.deployment.container not in meant:
        # An image can have any name, so a container that the config names is accepted with a warning.
        yield Finding(
            subject=where,
            problem=f"does not run Kong's image in container {kong.deployment.container}, but in "
            f"{', '.join(meant)}. The files and variables would go to the wrong container",
            fix=f"Name Kong's container: `{config_set('kong.container', meant[0])}`. If "
            f"{kong.deployment.container} does run Kong, name it there: then this is only a warning",
            severity="warning" if kong.container_configured else "error",
        )


def kong_is_recent_enough(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Kong has a version that the plugin supports, where the tag of its image tells."""
    container, managed = kong_container(reader, gateway), isinstance(gateway.kong, ManagedKong)
    if container is None or not gateway.installed or not (managed or _is_kong(container)):
        return
    image = str(container.get("image", ""))
    version = _version(_tag(image))
    if version is None and managed:
        version = _version(_chart_version(reader.next_deployment(gateway.kong)))
    if version is not None and version < OLDEST_KONG:
        yield Finding(
            subject=deployment_subject(gateway.kong.deployment),
            problem=f"runs Kong {version[0]}.{version[1]} ({image}), but the plugin needs "
            f"{OLDEST_KONG[0]}.{OLDEST_KONG[1]} or newer. Kong might not start, or not call Traceable",
            fix="Set kongValues.image.tag to a newer version" if managed else "Upgrade this Kong first",
        )


def _version(text: str) -> tuple[int, int] | None:
    found = re.match(r"v?(\d{1,3})\.(\d{1,3})(?![\d])", text)
    return (int(found[1]), int(found[2])) if found else None


def _tag(image: str) -> str:
    try:
        return parse_image(image).tag or ""
    except ImageReferenceError:
        return ""


def _chart_version(deployment: Document | None) -> str:
    """The version that the chart takes its Kong for: of `image.effectiveSemver`, or of the tag (kong chart 3.4.1)."""
    labels = (deployment or {}).get("metadata", {}).get("labels") or {}
    return str(labels.get("app.kubernetes.io/version", ""))


def _is_kong(container: Document) -> bool:
    """By the name of its image in any registry: mirrors keep it. Nothing is trusted because of it."""
    return image_name(str(container.get("image", ""))) in ("kong", "kong-gateway")
