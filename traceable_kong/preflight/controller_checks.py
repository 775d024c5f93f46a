"""The gateway's ingress controller: it reads KongClusterPlugins of the plugin's class, and has the right to.

A controller that does not read the plugin hands Kong a configuration without it: new gateway pods would serve, and
nothing would be protected. What a managed Kong's chart values say is judged before (helm_values/kong_conflicts.py).
"""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.pods import selected
from traceable_kong.helm_values.ingress_controller import READS_CLASS, Controller, is_controller, obstacles, setting
from traceable_kong.preflight.cached_reader import CachedReader, config_maps, deployment, name_of, secrets, services
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import GatewayIntent, Intent

GROUP, RESOURCE = "configuration.konghq.com", "kongclusterplugins"

NEEDED_VERBS = ("list", "watch")
"""What a controller does to read a kind (controller-runtime's informers)."""

Found = tuple[str, Controller]
"""How kubectl calls it, and what it is told."""


def it_reads_the_plugin(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """No controller of the gateway is told to read another class, or no KongClusterPlugins."""
    if not _has_a_say(intent):
        return
    gateway = intent.gateway
    found = list(_controllers(looks, gateway))
    for where, controller in found:
        given = given_variables(looks, gateway.namespace, controller.container)
        for obstacle in obstacles(controller.container, ingress_class=gateway.ingress_class, given=given):
            mend = "set it as a plain value, or take it out"
            if obstacle.flag == READS_CLASS and obstacle.is_certain:
                mend = "`pulumi config set --path traceable-kong:kong.ingressClass "
                mend += f"{shlex.quote(str(obstacle.setting.value))}`"
            elif obstacle.is_certain:
                mend = f"take {obstacle.setting.source} out of the controller's settings, or set it to true"
            yield Finding(
                subject=where,
                wrong=f"has an ingress controller that may not read the plugin: {obstacle.problem}",
                mend=mend,
                # What is on can be switched off whatever its controller reads.
                only_warns=not (obstacle.is_certain and intent.enabled),
            )
    live = looks.get(deployment(gateway.namespace, gateway.deployment))
    if not found and live is not None and not gateway.ours:
        yield Finding(
            subject=f"deployment {gateway.deployment} in namespace {gateway.namespace}",
            wrong="has no ingress controller in its pods, and none in its namespace is for it: without one Kong never "
            "gets the plugin, and the verification fails",
            mend=f"check that its controller, where it is in another namespace, reads the ingress class "
            f"{gateway.ingress_class}; or set kong.database where this Kong has a database",
            only_warns=True,
        )


def it_may_read_the_plugin(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The controller's service account may list and watch KongClusterPlugins, unless its chart gives it the role."""
    if not _has_a_say(intent):
        return
    namespace = intent.gateway.namespace
    for where, controller in _controllers(looks, intent.gateway):
        if controller.has_role:
            continue
        account = controller.service_account
        missing = [
            verb for verb in NEEDED_VERBS if not looks.account_allowed(namespace, account, verb, RESOURCE, group=GROUP)
        ]
        if missing:
            name = "kongclusterplugin-reader"
            yield Finding(
                subject=where,
                wrong=f"runs its ingress controller as the service account {account}, which may not "
                f"{' or '.join(missing)} KongClusterPlugins: it would never see the plugin",
                mend=f"`kubectl create clusterrole {name} --verb=get,list,watch --resource={RESOURCE}.{GROUP}`, then "
                f"`kubectl create clusterrolebinding {namespace}-{account}-{name} --clusterrole={name} "
                f"--serviceaccount={namespace}:{account}`"
                + (
                    "; or let the chart make its ClusterRole (kongValues.ingressController.rbac)"
                    if intent.gateway.ours
                    else ""
                ),
                only_warns=not intent.enabled,
            )


def _has_a_say(intent: Intent) -> bool:
    """With a database the plugin is written over Kong's Admin API."""
    return intent.installed and intent.plugin.object_name is not None


def _controllers(looks: CachedReader, gateway: GatewayIntent) -> Iterator[Found]:
    """Those that configure the gateway: as its chart makes it, in its pods, or in another Deployment beside it."""
    if gateway.ours:
        if gateway.controller:
            yield f"deployment {gateway.deployment} in namespace {gateway.namespace}", gateway.controller
        return
    live = looks.get(deployment(gateway.namespace, gateway.deployment))
    if live is None:
        return
    own = list(_in(live, gateway.namespace))
    if own:
        yield from own
        return
    labels = live["spec"]["template"].get("metadata", {}).get("labels") or {}
    for other in looks.list(f"/apis/apps/v1/namespaces/{gateway.namespace}/deployments"):
        for found in _in(other, gateway.namespace):
            if _configures(looks, gateway.namespace, found[1].container, labels):
                yield found


def _in(live: Document, namespace: str) -> Iterator[Found]:
    spec = live["spec"]["template"]["spec"]
    where = f"deployment {name_of(live)} in namespace {namespace}"
    for container in spec["containers"]:
        if is_controller(container):
            yield where, Controller(container=container, service_account=spec.get("serviceAccountName") or "default")


def _configures(looks: CachedReader, namespace: str, container: Document, labels: Mapping[str, str]) -> bool:
    """Whether a controller finds the pods with these labels through the Service of their Admin API that it is told."""
    given = given_variables(looks, namespace, container)
    service = setting(container, "kong-admin-svc", default="", given=given).value
    if service:
        where, _, name = service.rpartition("/")
    else:
        url = (setting(container, "kong-admin-url", default="", given=given).value or "").split(",")[0]
        name, _, rest = (urlsplit(url).hostname or "").partition(".")
        where = rest.split(".")[0]
    found = looks.get(f"{services(where or namespace)}/{name}") if name else None
    selector = (found or {}).get("spec", {}).get("selector")
    return bool(selector) and selected({"matchLabels": selector}, labels)


def given_variables(looks: CachedReader, namespace: str, container: Mapping[str, Any]) -> dict[str, str | None]:
    """The variables that a container's envFrom gives; of a Secret only the names."""
    given: dict[str, str | None] = {}
    for source in container.get("envFrom") or []:
        config_map, secret = source.get("configMapRef"), source.get("secretRef")
        held = (config_map or secret or {}).get("name")
        if held is None:
            continue
        path = f"{config_maps(namespace)}/{held}" if config_map else f"{secrets(namespace)}/{held}"
        data = (looks.get(path) or {}).get("data") or {}
        prefix = source.get("prefix") or ""
        given |= {f"{prefix}{key}": str(value) if config_map else None for key, value in data.items()}
    return given
