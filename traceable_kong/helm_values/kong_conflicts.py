"""Values for the Kong chart that conflict with Traceable, each with its fix.

Facts of the kong chart 3.4.1 and of Kong's configuration (https://developer.konghq.com/gateway/configuration/).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.kong_listen import ADMIN_LISTEN, listeners, listens_on
from traceable_kong.cluster.tme import INJECT_ANNOTATION, TME_PORT
from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.common.nested_data import merged, value_at
from traceable_kong.config.config_problem import Problem, path_of, shown
from traceable_kong.helm_values.chart_environment import environment
from traceable_kong.helm_values.ingress_controller import (
    READS_CLASS,
    Obstacle,
    chart_controller,
    chart_variables,
    obstacles,
)

OBJECTS = (
    *("admin", "admin.http", "admin.tls", "admin.tls.client", "autoscaling", "customEnv", "deployment"),
    *("deployment.kong", "deployment.serviceAccount", "env", "ingressController", "ingressController.customEnv"),
    *("ingressController.env", "ingressController.rbac", "migrations", "plugins", "podAnnotations", "postgresql"),
)
"""Values that are objects in the chart and that this folder reads."""

LISTS = ("ingressController.args", "ingressController.envFrom", "plugins.configMaps")


def conflicts(values: Mapping[str, Any], *, ingress_class: str, database: bool, certificate: bool) -> Iterator[Problem]:
    """What in values, with the chart's types, conflicts with Traceable.

    `certificate` is True where the stack has a client certificate for Kong's Admin API; it needs a `database`.
    """
    variables = {name: (where, value) for where, name, value in environment(values)}
    yield from _deployment_conflicts(values)
    yield from _admin_api_conflicts(values, variables)
    if not certificate:
        yield from _client_certificates(values, variables, database=database)
    if "forceUpdate" in values:
        yield Problem(
            "kongValues.forceUpdate",
            "is not a value of the chart but an option of Helm that replaces objects instead of updating them: all "
            "gateway pods would be deleted at once",
            config_remove("kongValues.forceUpdate"),
        )
    if INJECT_ANNOTATION in (values.get("podAnnotations") or {}):
        where = path_of("kongValues", "podAnnotations", INJECT_ANNOTATION)
        yield Problem(
            where,
            "requests the TME. This program sets that annotation itself, after the injector and before the plugin; in "
            "the chart values it would be set and removed too early",
            config_remove(where),
        )
    if not database:
        # With a database the plugin is an entity, and the controller does not read it.
        yield from _controller_obstacles(values, ingress_class)
    for where in _uses_of_tme_port(values, variables):
        yield Problem(
            where,
            f"uses the port {TME_PORT}, on which the TME listens in the gateway's pod: one of the two would not start",
            "use another port",
        )


def _deployment_conflicts(values: Mapping[str, Any]) -> Iterator[Problem]:
    deployment = values.get("deployment") or {}
    if deployment.get("daemonset"):
        yield Problem(
            "kongValues.deployment.daemonset",
            "is true, but this program only deploys to and verifies a Deployment: a DaemonSet would be unprotected",
            config_remove("kongValues.deployment.daemonset"),
        )
    if (deployment.get("kong") or {}).get("enabled") is False:
        yield Problem(
            "kongValues.deployment.kong.enabled",
            "is false, so there would be no gateway to protect",
            config_remove("kongValues.deployment.kong.enabled"),
        )
    scaling = values.get("autoscaling") or {}
    # The chart sets no replicas where there is an autoscaler.
    sizes = {f"autoscaling.{key}": scaling.get(key) for key in ("minReplicas", "maxReplicas")}
    for path, size in (sizes if scaling.get("enabled") else {"replicaCount": values.get("replicaCount")}).items():
        if _is_zero(size):
            where = f"kongValues.{path}"
            yield Problem(
                where,
                f"is {shown(size)}: without a gateway pod, nothing serves, and the plugin cannot be verified",
                config_set(where, "1"),
            )


def _is_zero(value: object) -> bool:
    return not isinstance(value, bool) and bool(re.fullmatch(r"\s*-?0+(\.0*)?\s*", str(value)))


def _controller_obstacles(values: Mapping[str, Any], ingress_class: str) -> Iterator[Problem]:
    """Why the controller would not read KongClusterPlugins of the gateway's class."""
    # Another ingressController.ingressClass is a problem of its own.
    controller = chart_controller(merged(values, {"ingressController": {"ingressClass": ingress_class}}), "")
    for obstacle in obstacles(controller.container, ingress_class=ingress_class) if controller else ():
        yield _obstacle_problem(obstacle, values, ingress_class)


def _obstacle_problem(obstacle: Obstacle, values: Mapping[str, Any], ingress_class: str) -> Problem:
    source, value = obstacle.setting.source, obstacle.setting.value
    where, fix = "kongValues.ingressController.args", f"remove {source} from the list"
    for path, name, _ in chart_variables(values):
        if name == source:
            where, fix = path, config_remove(path)
    of_class = obstacle.flag == READS_CLASS
    if of_class:
        fix += ", and set traceable-kong:kong.ingressClass instead"
    if not obstacle.is_certain:
        what = "which ingress class the controller reads" if of_class else "whether the controller reads the plugin"
        return Problem(where, f"comes from another object, so {what} could not be known before its pods serve", fix)
    given = f"has {source}={value}" if where.endswith(".args") else f"is {shown(value)}"
    if of_class:
        problem = f"{given}, but the plugin has the ingress class {ingress_class!r}: the controller would never read it"
    else:
        problem = (
            f"{given}, so the controller would not read KongClusterPlugins, and the plugin is one: new gateway pods "
            "would serve without it"
        )
    return Problem(where, problem, fix)


def _admin_api_conflicts(values: Mapping[str, Any], variables: Mapping[str, tuple[str, Any]]) -> Iterator[Problem]:
    where, role = variables.get("KONG_ROLE", ("", "traditional"))
    if role not in ("traditional", "", None):
        yield Problem(
            where,
            f"is {shown(role)}. In hybrid mode the plugin is configured on a separate control plane, and this program "
            "could neither configure nor verify it",
            config_remove(where),
        )
    admin = values.get("admin") or {}
    ports = [(admin.get("http") or {}).get("enabled", False), (admin.get("tls") or {}).get("enabled", True)]
    where, listen = variables.get(ADMIN_LISTEN, ("kongValues.admin", None if any(ports) else "off"))
    if listen is not None and not listeners(str(listen)):
        yield Problem(
            where,
            "gives Kong's Admin API no port: neither the ingress controller nor the verification could use it. It only "
            "listens on localhost of its own pod, and needs no Service",
            config_remove(where) if where != "kongValues.admin" else config_set("kongValues.admin.tls.enabled", "true"),
        )


def _client_certificates(
    values: Mapping[str, Any], variables: Mapping[str, tuple[str, Any]], *, database: bool
) -> Iterator[Problem]:
    for where in _client_certificate_settings(values.get("admin") or {}, variables):
        yield Problem(
            where,
            "makes Kong's Admin API require client certificates: the verification has none, so no `up` would succeed. "
            "The Admin API only listens on localhost of its own pod",
            config_remove(where) + (", or set traceable-kong:kong.admin.clientCertificateSecret" if database else ""),
        )


def _client_certificate_settings(admin: Mapping[str, Any], variables: Mapping[str, tuple[str, Any]]) -> Iterator[str]:
    """Two values make the chart set the variable; the user can also set it, to `on` or `off`."""
    where, required = variables.get("KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT", ("", None))
    # YAML 1.1 reads `on` as true.
    if required is not None:
        if str(required).lower() in ("on", "true"):
            yield where
        return
    client = (admin.get("tls") or {}).get("client") or {}
    yield from (f"kongValues.admin.tls.client.{key}" for key in ("caBundle", "secretName") if client.get(key))


def _uses_of_tme_port(values: Mapping[str, Any], variables: Mapping[str, tuple[str, Any]]) -> Iterator[str]:
    for name, (where, value) in variables.items():
        if name.endswith("_LISTEN") and listens_on(str(value), TME_PORT):
            yield where
    yield from _container_ports(values, ("kongValues",))


def _container_ports(value: Any, where: tuple[str | int, ...]) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.get("containerPort") == TME_PORT:
            yield path_of(*where, "containerPort")
        for key, item in value.items():
            yield from _container_ports(item, (*where, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _container_ports(item, (*where, index))


def other_value(values: Mapping[str, Any], path: str, expected: object, config_key: str | None) -> Iterator[Problem]:
    """The problem that the value at `path` is not `expected`."""
    where, found = f"kongValues.{path}", value_at(values, path)
    if found != expected:
        instead = f", and set traceable-kong:{config_key} instead" if config_key else ""
        yield Problem(
            where, f"is {shown(found)}, but this program needs {shown(expected)}", config_remove(where) + instead
        )
