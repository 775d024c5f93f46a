"""Values for the Kong chart that conflict with Traceable, each with its fix.

Facts of the kong chart 3.4.1 and of Kong's configuration (https://developer.konghq.com/gateway/configuration/).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceable_kong.cluster.kong_listen import ADMIN_LISTEN, listeners, listens_on
from traceable_kong.cluster.tme import INJECT_ANNOTATION, TME_PORT
from traceable_kong.common.commands import config_remove
from traceable_kong.common.nested_data import not_objects
from traceable_kong.common.safe_text import PlainError
from traceable_kong.helm_values.chart_environment import environment
from traceable_kong.helm_values.ingress_controller import (
    READS_CLASS,
    Obstacle,
    chart_controller,
    chart_variables,
    obstacles,
)


class KongValuesError(PlainError):
    """Values in `kongValues` conflict with what this stack needs; the text is for the person at the terminal."""


_OBJECTS = (
    *("admin", "admin.http", "admin.tls", "admin.tls.client", "autoscaling", "customEnv", "deployment"),
    *("deployment.kong", "deployment.serviceAccount", "env", "ingressController", "ingressController.customEnv"),
    *("ingressController.env", "ingressController.rbac", "migrations", "plugins", "podAnnotations", "postgresql"),
)
"""Values that are objects in the chart and that this folder reads."""

_LISTS = ("ingressController.args", "ingressController.envFrom", "plugins.configMaps")


def require_chart_types(values: Mapping[str, Any]) -> None:
    """Raises KongValuesError for a value that is not an object or a list where the chart has one."""
    for problem in not_objects(values, _OBJECTS):
        raise KongValuesError(f"kongValues.{problem}, but the chart expects an object. `helm show values` prints it.")
    for path in _LISTS:
        parent, _, key = path.rpartition(".")
        found = (values.get(parent) or {}).get(key)
        if found is not None and not isinstance(found, list):
            raise KongValuesError(
                f"kongValues.{path} is {found!r}, but the chart expects a list. `helm show values` prints it."
            )


def refuse_conflicts(values: Mapping[str, Any], *, ingress_class: str, database: bool, certificate: bool) -> None:
    """Raises KongValuesError where values, with the chart's types, conflict with Traceable.

    `certificate` is True where the stack has a client certificate for Kong's Admin API; it needs a `database`.
    """
    variables = {name: (where, value) for where, name, value in environment(values)}
    _require_deployment(values)
    _require_admin_api(values, variables)
    if not certificate:
        _refuse_client_certificates(values, variables, database=database)
    if "forceUpdate" in values:
        raise KongValuesError(
            "kongValues.forceUpdate is not a value of the chart but an option of Helm that replaces objects instead of "
            f"updating them. All gateway pods would be deleted at once. {_remove('kongValues.forceUpdate')}"
        )
    if INJECT_ANNOTATION in (values.get("podAnnotations") or {}):
        key = f'kongValues.podAnnotations["{INJECT_ANNOTATION}"]'
        raise KongValuesError(
            "kongValues.podAnnotations requests the TME. This program sets that annotation itself, after the injector "
            f"and before the plugin. In the chart values it would be set and removed too early. {_remove(key)}"
        )
    if not database:
        # With a database the plugin is an entity, and the controller does not read it.
        _require_controller_reads_plugin(values, ingress_class)
    for where in _uses_of_tme_port(values, variables):
        raise KongValuesError(
            f"{where} uses the port {TME_PORT}, on which the TME listens in the gateway's pod. One of the two would "
            "not start. Use another port."
        )


def _require_deployment(values: Mapping[str, Any]) -> None:
    deployment = values.get("deployment") or {}
    if deployment.get("daemonset"):
        raise KongValuesError(
            "kongValues.deployment.daemonset is true, but this program only deploys to and verifies a Deployment. A "
            f"DaemonSet would be unprotected. {_remove('kongValues.deployment.daemonset')}"
        )
    if (deployment.get("kong") or {}).get("enabled") is False:
        raise KongValuesError(
            "kongValues.deployment.kong.enabled is false, so there would be no gateway to protect. "
            + _remove("kongValues.deployment.kong.enabled")
        )
    scaling = values.get("autoscaling") or {}
    # The chart sets no replicas where there is an autoscaler.
    sizes = {f"autoscaling.{key}": scaling.get(key) for key in ("minReplicas", "maxReplicas")}
    for path, size in (sizes if scaling.get("enabled") else {"replicaCount": values.get("replicaCount")}).items():
        if _is_zero(size):
            raise KongValuesError(
                f"kongValues.{path} is {size!r}. Without a gateway pod, nothing serves, and the plugin cannot be "
                "verified. Set it to 1 or more."
            )


def _is_zero(value: object) -> bool:
    return not isinstance(value, bool) and bool(re.fullmatch(r"\s*-?0+(\.0*)?\s*", str(value)))


def _require_controller_reads_plugin(values: Mapping[str, Any], ingress_class: str) -> None:
    """Raises KongValuesError where the controller would not read KongClusterPlugins of the gateway's class."""
    controller = chart_controller(values, "")
    for obstacle in obstacles(controller.container, ingress_class=ingress_class) if controller else ():
        raise KongValuesError(_obstacle_text(obstacle, values, ingress_class))


def _obstacle_text(obstacle: Obstacle, values: Mapping[str, Any], ingress_class: str) -> str:
    source, value = obstacle.setting.source, obstacle.setting.value
    where = f"kongValues.ingressController.args ({source})"
    for path, name, _ in chart_variables(values):
        where = path if name == source else where
    of_class = obstacle.flag == READS_CLASS
    if not obstacle.is_certain:
        what = "which ingress class the controller reads" if of_class else "whether the controller reads the plugin"
        fix = "Set traceable-kong:kong.ingressClass instead" if of_class else "Remove it"
        return f"{where} comes from another object, so {what} could not be known before its pods serve. {fix}."
    if of_class:
        return (
            f"{where} is {value!r}, but the plugin has the ingress class {ingress_class!r}. The controller would never "
            "read it. Set traceable-kong:kong.ingressClass instead."
        )
    return (
        f"{where} is {value!r}, so the controller would not read KongClusterPlugins, and the plugin is one. New "
        "gateway pods would serve without it. Remove it."
    )


def _require_admin_api(values: Mapping[str, Any], variables: Mapping[str, tuple[str, Any]]) -> None:
    where, role = variables.get("KONG_ROLE", ("", "traditional"))
    if role not in ("traditional", "", None):
        raise KongValuesError(
            f"{where} is {role!r}. In hybrid mode the plugin is configured on a separate control plane, and this "
            f"program could neither configure nor verify it. {_remove(where)}"
        )
    admin = values.get("admin") or {}
    ports = [(admin.get("http") or {}).get("enabled", False), (admin.get("tls") or {}).get("enabled", True)]
    where, listen = variables.get(ADMIN_LISTEN, ("kongValues.admin", None if any(ports) else "off"))
    if listen is not None and not listeners(str(listen)):
        raise KongValuesError(
            f"{where} gives Kong's Admin API no port. Neither the ingress controller nor the verification could use "
            "it. It only listens on localhost of its own pod, and needs no Service. "
            + (_remove(where) if where != "kongValues.admin" else "Enable kongValues.admin.tls.")
        )


def _refuse_client_certificates(
    values: Mapping[str, Any], variables: Mapping[str, tuple[str, Any]], *, database: bool
) -> None:
    for where in _client_certificate_settings(values.get("admin") or {}, variables):
        raise KongValuesError(
            f"{where} makes Kong's Admin API require client certificates. The verification has none, so no `up` would "
            f"succeed. The Admin API only listens on localhost of its own pod. {_remove(where)}"
            + (" Or set traceable-kong:kong.admin.clientCertificateSecret." if database else "")
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
    yield from _container_ports(values, "kongValues")


def _container_ports(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.get("containerPort") == TME_PORT:
            yield f"{where}.containerPort"
        for key, item in value.items():
            yield from _container_ports(item, f"{where}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _container_ports(item, f"{where}[{index}]")


def require(values: Mapping[str, Any], path: Sequence[str], expected: object, config_key: str | None) -> None:
    """Raises KongValuesError where the value at `path` is not `expected`."""
    found: Any = values
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    if found != expected:
        where = f"kongValues.{'.'.join(path)}"
        fix = f"Set traceable-kong:{config_key} instead." if config_key else _remove(where)
        raise KongValuesError(f"{where} is {found!r}, but this program needs {expected!r}. {fix}")


def _remove(key: str) -> str:
    return f"Remove it: `{config_remove(key)}`."
