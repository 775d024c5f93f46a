"""Checks of the gateway's ingress controller: it reads KongClusterPlugins of the plugin's class, and may read them.

A controller that does not read the plugin gives Kong a configuration without it: new gateway pods would serve, and
nothing would be protected. That of a managed Kong is what its chart renders.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from traceable_kong.cluster.api_objects import config_maps, deployments, name_of, secrets, services
from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.pods import selected
from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.helm_values.chart_environment import controller_environment
from traceable_kong.helm_values.ingress_controller import (
    READS_CLASS,
    Controller,
    is_controller,
    obstacles,
    setting,
)
from traceable_kong.helm_values.rendered_chart import RenderedChart
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding, deployment_subject

GROUP, RESOURCE = "configuration.konghq.com", "kongclusterplugins"

ARGUMENTS = "kongValues.ingressController.args"

NEEDED_VERBS = ("list", "watch")
"""What a controller does to read a kind (controller-runtime's informers)."""

Found = tuple[str, Controller]
"""The Deployment as messages name it, and the controller in it."""


def controller_reads_the_plugin(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Every controller of the gateway reads KongClusterPlugins of the plugin's class."""
    if not _is_needed(gateway):
        return
    found = list(_controllers(reader, gateway))
    for where, controller in found:
        given = given_variables(reader, gateway.kong.deployment.namespace, controller.container)
        for obstacle in obstacles(
            controller.container,
            ingress_class=gateway.kong.ingress_class,
            given=given,
            named=lambda source: _named(gateway, source),
        ):
            fix, source = "Write it as a plain value, or remove it", _named(gateway, obstacle.setting.source)
            if obstacle.flag == READS_CLASS and obstacle.is_certain:
                fix = f"Use its class: `{config_set('kong.ingressClass', str(obstacle.setting.value))}`"
            elif obstacle.is_certain:
                fix = f"Remove {source} from the controller's settings, or set it to true"
                if source.startswith("kongValues.") and source != ARGUMENTS:
                    fix = f"Remove it: `{config_remove(source)}`"
            yield Finding(
                subject=where,
                problem=f"has an ingress controller that would not read the plugin: {obstacle.problem}",
                fix=fix,
                # The plugin can be disabled whatever its controller reads.
                severity="error" if obstacle.is_certain and gateway.plugin.enabled else "warning",
            )
    if found or reader.next_deployment(gateway.kong) is None:
        return
    if isinstance(gateway.kong, ManagedKong):
        key = "kongValues.ingressController.enabled"
        yield Finding(
            subject=deployment_subject(gateway.kong.deployment),
            problem="would have no ingress controller. Kong would get neither routes nor the plugin",
            fix=f"Remove what disables it: `{config_remove(key)}`. A Kong without a controller needs a database "
            "(kong.database)",
        )
    else:
        yield Finding(
            subject=deployment_subject(gateway.kong.deployment),
            problem="has no ingress controller in its pods, and none in its namespace configures it. Without a "
            "controller Kong never gets the plugin, and the verification fails",
            fix="If its controller is in another namespace, check that it reads the ingress class "
            f"{gateway.kong.ingress_class}. If this Kong has a database, set kong.database",
            severity="warning",
        )


def controller_may_read_the_plugin(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The controller's service account may list and watch KongClusterPlugins, or the chart's roles let it."""
    if not _is_needed(gateway):
        return
    namespace = gateway.kong.deployment.namespace
    for where, controller in _controllers(reader, gateway):
        account = controller.service_account
        chart = reader.rendered("kong") if isinstance(gateway.kong, ManagedKong) else None
        granted = set(_granted(chart, namespace, account)) if chart else set()
        missing = [
            verb
            for verb in NEEDED_VERBS
            if verb not in granted and not reader.account_allowed(namespace, account, verb, RESOURCE, group=GROUP)
        ]
        if missing:
            name = "kongclusterplugin-reader"
            yield Finding(
                subject=where,
                problem=f"runs its ingress controller as the service account {account}, which may not "
                f"{' or '.join(missing)} KongClusterPlugins. It would never see the plugin",
                fix=f"Grant it: `kubectl create clusterrole {name} --verb=get,list,watch "
                f"--resource={RESOURCE}.{GROUP}`, then `kubectl create clusterrolebinding {namespace}-{account}-{name} "
                f"--clusterrole={name} --serviceaccount={namespace}:{account}`"
                + (
                    ". Or let the chart create the ClusterRole (kongValues.ingressController.rbac)"
                    if isinstance(gateway.kong, ManagedKong)
                    else ""
                ),
                severity="error" if gateway.plugin.enabled else "warning",
            )


def _named(gateway: Gateway, source: str) -> str:
    """Where a setting of the controller is made: the key in the config where there is one."""
    if not isinstance(gateway.kong, ManagedKong) or not source:
        return source
    if source.startswith("--"):
        return ARGUMENTS
    values = gateway.kong.release.values
    keys = [key for key, variable, _ in controller_environment(values) if variable == source]
    return keys[-1] if keys else source


def _granted(chart: RenderedChart, namespace: str, account: str) -> Iterator[str]:
    """The verbs for KongClusterPlugins that the chart's ClusterRoles grant to a service account."""
    roles = {name_of(item): item.get("rules") or [] for item in chart.of_kind("ClusterRole")}
    for binding in chart.of_kind("ClusterRoleBinding"):
        subjects = [(item.get("namespace"), item.get("name")) for item in binding.get("subjects") or []]
        if (namespace, account) not in subjects:
            continue
        for rule in roles.get(str((binding.get("roleRef") or {}).get("name")), []):
            groups, resources = rule.get("apiGroups") or [], rule.get("resources") or []
            if {GROUP, "*"} & set(groups) and {RESOURCE, "*"} & set(resources):
                yield from NEEDED_VERBS if "*" in rule["verbs"] else rule["verbs"]


def _is_needed(gateway: Gateway) -> bool:
    """Whether a controller has to read the plugin: an entity is written through Kong's Admin API."""
    return gateway.installed and gateway.plugin.custom_resource is not None


def _controllers(reader: CachedReader, gateway: Gateway) -> Iterator[Found]:
    """The controllers that configure the gateway: one in its pods, or one in another Deployment."""
    live = reader.next_deployment(gateway.kong)
    if live is None:
        return
    own = list(_in(live, gateway.kong.deployment.namespace))
    if own:
        yield from own
        return
    labels = live["spec"]["template"].get("metadata", {}).get("labels") or {}
    if isinstance(gateway.kong, ManagedKong):
        chart = reader.rendered(gateway.kong.release.key)
        for other in chart.of_kind("Deployment") if chart else ():
            yield from _in(other, gateway.kong.deployment.namespace)
        return
    for other in reader.list(deployments(gateway.kong.deployment.namespace)):
        for found in _in(other, gateway.kong.deployment.namespace):
            if _configures(reader, gateway.kong.deployment.namespace, found[1].container, labels):
                yield found


def _in(live: Document, namespace: str) -> Iterator[Found]:
    spec = live["spec"]["template"]["spec"]
    where = f"deployment {name_of(live)} in namespace {namespace}"
    for container in spec["containers"]:
        if is_controller(container):
            yield where, Controller(container=container, service_account=spec.get("serviceAccountName") or "default")


def _configures(reader: CachedReader, namespace: str, container: Document, labels: Mapping[str, str]) -> bool:
    """Whether the Admin API Service that a controller is configured with selects pods with these labels."""
    given = given_variables(reader, namespace, container)
    service = setting(container, "kong-admin-svc", default="", given=given).value
    if service:
        where, _, name = service.rpartition("/")
    else:
        url = (setting(container, "kong-admin-url", default="", given=given).value or "").split(",")[0]
        name, _, rest = (urlsplit(url).hostname or "").partition(".")
        where = rest.split(".")[0]
    found = reader.get(f"{services(where or namespace)}/{name}") if name else None
    selector = (found or {}).get("spec", {}).get("selector")
    return bool(selector) and selected({"matchLabels": selector}, labels)


def given_variables(reader: CachedReader, namespace: str, container: Mapping[str, Any]) -> dict[str, str | None]:
    """The variables from a container's envFrom. Those of a Secret have the value None."""
    given: dict[str, str | None] = {}
    for source in container.get("envFrom") or []:
        config_map, secret = source.get("configMapRef"), source.get("secretRef")
        held = (config_map or secret or {}).get("name")
        if held is None:
            continue
        path = f"{config_maps(namespace)}/{held}" if config_map else f"{secrets(namespace)}/{held}"
        data = (reader.get(path) or {}).get("data") or {}
        prefix = source.get("prefix") or ""
        given |= {f"{prefix}{key}": str(value) if config_map else None for key, value in data.items()}
    return given
