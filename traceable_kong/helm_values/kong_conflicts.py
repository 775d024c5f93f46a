"""Chart values of the user's that cannot stand beside Traceable, each with what to write instead. Pure.

Facts of the kong chart 3.4.1 and of Kong's configuration (https://developer.konghq.com/gateway/configuration/).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceable_kong.cluster.kong_listen import ADMIN_LISTEN, listeners, listens_on
from traceable_kong.cluster.tme import TME_PORT
from traceable_kong.common.nested_data import not_objects
from traceable_kong.common.safe_text import PlainError
from traceable_kong.helm_values.ingress_controller import (
    READS_CLASS,
    Obstacle,
    chart_controller,
    chart_variables,
    obstacles,
)


class KongValuesError(PlainError):
    """The user's chart values and ours contradict each other; the text says where, and what to write instead."""


_OBJECTS = (
    *("admin", "admin.http", "admin.tls", "admin.tls.client", "autoscaling", "customEnv", "deployment"),
    *("deployment.kong", "deployment.serviceAccount", "env", "ingressController", "ingressController.customEnv"),
    *("ingressController.env", "ingressController.rbac", "migrations", "plugins", "podAnnotations", "postgresql"),
)
"""What is read here, in components/kong_gateway.py and in helm_values/ingress_controller.py, and is an object in the
chart.
"""

_LISTS = ("ingressController.args", "ingressController.envFrom", "plugins.configMaps")


def refuse_other_shapes(values: Mapping[str, Any]) -> None:
    """Raises KongValuesError where something else stands in the place of an object or a list of the chart's."""
    for wrong in not_objects(values, _OBJECTS):
        raise KongValuesError(
            f"kongValues.{wrong}, and the chart takes an object there: `helm show values` prints what it takes."
        )
    for path in _LISTS:
        parent, _, key = path.rpartition(".")
        found = (values.get(parent) or {}).get(key)
        if found is not None and not isinstance(found, list):
            raise KongValuesError(
                f"kongValues.{path} is {found!r}, and the chart takes a list there: `helm show values` prints what it "
                "takes."
            )


def refuse_what_cannot_be_had(
    values: Mapping[str, Any], *, ingress_class: str, database: bool = False, certificate: bool = False
) -> None:
    """Raises KongValuesError where these values, of the chart's shapes, and Traceable contradict each other.

    `certificate` is whether this program has one to show to Kong's Admin API, which takes a `database`.
    """
    variables = {name: (where, value) for where, name, value in environment(values)}
    _refuse_other_workloads(values)
    _refuse_silent_admin_api(values, variables)
    if not certificate:
        _refuse_asking_for_certificates(values, variables, database=database)
    if "forceUpdate" in values:
        raise KongValuesError(
            "kongValues.forceUpdate is no value of the chart but an option of Helm's that replaces objects, pods and "
            "all, in place of changing them: the gateway would go down at once. Take it out."
        )
    if "tme.traceable.ai/inject" in (values.get("podAnnotations") or {}):
        raise KongValuesError(
            "kongValues.podAnnotations asks for the TME. This program sets that annotation itself, after the injector "
            "and before the plugin; in the chart's values it would come too early and go too early. Take it out."
        )
    if not database:
        # With one the plugin is no KongClusterPlugin, and no controller has a say in it.
        _refuse_deaf_controller(values, ingress_class)
    for where in _uses_of_tme_port(values, variables):
        raise KongValuesError(
            f"{where} uses the port {TME_PORT}, where the TME listens in the gateway's own pod: one of the two would "
            "not start. Give it another port."
        )


def _refuse_other_workloads(values: Mapping[str, Any]) -> None:
    deployment = values.get("deployment") or {}
    if deployment.get("daemonset"):
        raise KongValuesError(
            "kongValues.deployment.daemonset is true: the program rolls and proves a Deployment, and a DaemonSet would "
            "go unprotected. Take it out."
        )
    if (deployment.get("kong") or {}).get("enabled") is False:
        raise KongValuesError(
            "kongValues.deployment.kong.enabled is false: there would be no gateway to protect. Take it out."
        )
    scaling = values.get("autoscaling") or {}
    # The chart writes no replicas where an autoscaler decides about them.
    sizes = {f"autoscaling.{key}": scaling.get(key) for key in ("minReplicas", "maxReplicas")}
    for path, size in (sizes if scaling.get("enabled") else {"replicaCount": values.get("replicaCount")}).items():
        if _is_zero(size):
            raise KongValuesError(
                f"kongValues.{path} is {size!r}: no gateway pod would serve, and none could show that the plugin is "
                "on. Take it out, or write 1 or more."
            )


def _is_zero(value: object) -> bool:
    return not isinstance(value, bool) and bool(re.fullmatch(r"\s*-?0+(\.0*)?\s*", str(value)))


def _refuse_deaf_controller(values: Mapping[str, Any], ingress_class: str) -> None:
    """The controller reads KongClusterPlugins of the gateway's class, whatever way it is told."""
    controller = chart_controller(values, "")
    for obstacle in obstacles(controller.container, ingress_class=ingress_class) if controller else ():
        raise KongValuesError(_deaf(obstacle, values, ingress_class))


def _deaf(obstacle: Obstacle, values: Mapping[str, Any], ingress_class: str) -> str:
    source, value = obstacle.setting.source, obstacle.setting.value
    where = f"kongValues.ingressController.args ({source})"
    for path, name, _ in chart_variables(values):
        where = path if name == source else where
    of_class = obstacle.flag == READS_CLASS
    if not obstacle.is_certain:
        what = "which ingress class the controller reads" if of_class else "whether the controller reads the plugin"
        mend = "Set traceable-kong:kong.ingressClass instead" if of_class else "Take it out"
        return f"{where} comes from elsewhere: {what} could not be known before its pods serve. {mend}."
    if of_class:
        return (
            f"{where} is {value!r}, and the plugin is made for {ingress_class!r}: the controller would never see it. "
            "Set traceable-kong:kong.ingressClass instead."
        )
    return (
        f"{where} is {value!r}: the controller would not read KongClusterPlugins, and the plugin is one. New gateway "
        "pods would serve without it. Take it out."
    )


def _refuse_silent_admin_api(values: Mapping[str, Any], variables: Mapping[str, tuple[str, Any]]) -> None:
    where, role = variables.get("KONG_ROLE", ("", "traditional"))
    if role not in ("traditional", "", None):
        raise KongValuesError(
            f"{where} is {role!r}: in hybrid mode the plugin is configured on a control plane elsewhere, and this "
            "program could neither configure nor prove it. Take it out."
        )
    admin = values.get("admin") or {}
    ports = [(admin.get("http") or {}).get("enabled", False), (admin.get("tls") or {}).get("enabled", True)]
    where, listen = variables.get(ADMIN_LISTEN, ("kongValues.admin", None if any(ports) else "off"))
    if listen is not None and not listeners(str(listen)):
        raise KongValuesError(
            f"{where} leaves Kong's Admin API without a port: neither the ingress controller nor the proof could ask "
            "it. It listens on localhost of its own pod only, and needs no Service. Take it out."
        )


def _refuse_asking_for_certificates(
    values: Mapping[str, Any], variables: Mapping[str, tuple[str, Any]], *, database: bool
) -> None:
    for where in _asking_for_certificates(values.get("admin") or {}, variables):
        raise KongValuesError(
            f"{where} has Kong's Admin API ask for client certificates: the proof has none, so whether the plugin is "
            "on could never be told, and no `up` would succeed. It listens on localhost of its own pod. Take it out"
            + ("; or name one in traceable-kong:kong.admin.clientCertificateSecret." if database else ".")
        )


def _asking_for_certificates(admin: Mapping[str, Any], variables: Mapping[str, tuple[str, Any]]) -> Iterator[str]:
    """Either of the two values makes the chart set the variable; a person can set it, or take it back, as well."""
    where, asked = variables.get("KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT", ("", None))
    # What YAML 1.1 takes for true comes as that.
    if asked is not None:
        if str(asked).lower() in ("on", "true"):
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


def environment(values: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """Where, variable and value of what the user's values put into Kong's environment over the chart's own.

    The chart upper-cases the keys: of `env` with the prefix KONG_, of `customEnv` as they are (kong chart 3.4.1).
    """
    return [
        (f"kongValues.{group}.{key}", f"{prefix}{key}".upper(), value)
        for group, prefix in (("env", "KONG_"), ("customEnv", ""))
        for key, value in (values.get(group) or {}).items()
    ]


def require(values: Mapping[str, Any], path: Sequence[str], expected: object, config_key: str | None) -> None:
    """Raises KongValuesError where the value at `path` is another than this program needs."""
    found: Any = values
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    if found != expected:
        mend = f"set traceable-kong:{config_key} instead" if config_key else "take it out"
        raise KongValuesError(
            f"kongValues.{'.'.join(path)} is {found!r}, where this program needs {expected!r}: {mend}."
        )


def kong_environment(values: Mapping[str, Any]) -> dict[str, str]:
    """`{variable: value}` that the user's values set in Kong's environment, without what is secret or elsewhere."""
    return {name: str(value) for _, name, value in environment(values) if isinstance(value, str | int | float)}
