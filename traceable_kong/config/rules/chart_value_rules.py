"""The rules about names and numbers in the values of both charts, which the charts would ignore or misread."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.common.nested_data import value_at
from traceable_kong.config.agent_config import ManagedAgentConfig
from traceable_kong.config.config_problem import Problem, path_of, shown
from traceable_kong.config.kong_config import ManagedKongConfig
from traceable_kong.config.rule_registry import rule

_NAMES_HAVE_DOTS = re.compile(
    r"(?i)(annotations|labels|selectors?|data|limits|requests|attributes|parameters|options|headers|objects|files|"
    r"templates?|hosts|customenv)$"
)
"""Objects in which a name may have dots: metadata of Kubernetes, resources, files, environment variables."""

_HIGHEST_PORT = 65_535
_MOST_PODS = 1000


@rule
def kong_value_names(kong: ManagedKongConfig) -> Iterator[Problem]:
    """Names in kongValues are those of nested objects, without dots."""
    yield from _dotted(kong.values, ("kongValues",))


@rule
def agent_value_names(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """Names in agentValues are those of nested objects, without dots."""
    yield from _dotted(agent.values, ("agentValues",))


@rule
def kong_value_placeholders(kong: ManagedKongConfig) -> Iterator[Problem]:
    """No value in kongValues is a placeholder such as <tag>."""
    yield from _placeholders(kong.values, ("kongValues",))


@rule
def agent_value_placeholders(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """No value in agentValues is a placeholder such as <tag>."""
    yield from _placeholders(agent.values, ("agentValues",))


def _placeholders(value: Any, path: tuple[str | int, ...]) -> Iterator[Problem]:
    if isinstance(value, Mapping | list):
        for name, item in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _placeholders(item, (*path, name))
    elif isinstance(value, str) and re.fullmatch(r"<[^<>]+>", value):
        key = path_of(*path)
        yield Problem(
            key,
            "is a placeholder: the chart would use it as it is",
            f"{config_set(key, 'VALUE')}, or {config_remove(key)}",
        )


def _dotted(value: Any, path: tuple[str | int, ...]) -> Iterator[Problem]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _dotted(item, (*path, index))
    if not isinstance(value, Mapping) or _NAMES_HAVE_DOTS.search(str(path[-1])):
        return
    for name, item in value.items():
        # A name with a slash is that of a label, an annotation or a resource.
        if "." in name and "/" not in name:
            yield _dot_problem(path, name, item)
        else:
            yield from _dotted(item, (*path, name))


def _dot_problem(path: tuple[str | int, ...], name: str, value: Any) -> Problem:
    key = path_of(*path, name)
    fix = config_remove(key)
    if all(parts := name.split(".")):
        fix += f", and {_set_instead(path_of(*path, *parts), value)}"
    return Problem(key, "has a dot in its name. A values file has nested objects: the chart would ignore it", fix)


def _set_instead(key: str, value: Any) -> str:
    """How the same value is set at another key; an object is not repeated."""
    if isinstance(value, bool):
        return config_set(key, str(value).lower())
    if isinstance(value, str | int | float):
        return config_set(key, str(value))
    return f"set traceable-kong:{key} instead"


@rule
def variable_names(kong: ManagedKongConfig) -> Iterator[Problem]:
    """Names in kongValues.env and kongValues.ingressController.env have underscores, and not the chart's prefix."""
    for group, prefix in (("env", "KONG_"), ("ingressController.env", "CONTROLLER_")):
        variables = value_at(kong.values, group)
        for name, value in variables.items() if isinstance(variables, Mapping) else ():
            meant = name.upper().removeprefix(prefix).lower().replace("-", "_")
            if not meant or meant == name.lower():
                continue
            path = ("kongValues", *group.split("."))
            key = path_of(*path, name)
            yield Problem(
                key,
                f"would be the variable {prefix}{name.upper()}, which nothing reads: the chart adds {prefix} to every "
                "name, and the settings have underscores",
                f"{config_remove(key)}, and {_set_instead(path_of(*path, meant), value)}",
            )


@rule
def kong_namespace_has_its_own_key(kong: ManagedKongConfig) -> Iterator[Problem]:
    """Kong's namespace is not in kongValues."""
    if "namespace" in kong.values:
        yield Problem(
            "kongValues.namespace",
            "would put Kong into another namespace than its Helm release and the plugin's files",
            f"{config_remove('kongValues.namespace')}, and " + _set_instead("kong.namespace", kong.values["namespace"]),
        )


@rule
def numbers_of_the_agent(agent: ManagedAgentConfig) -> Iterator[Problem]:
    """Ports and numbers of pods in agentValues are possible ones."""
    yield from _numbers(agent.values, "agentValues", ("deploymentReplicas",))


@rule
def numbers_of_kong(kong: ManagedKongConfig) -> Iterator[Problem]:
    """Ports and numbers of pods in kongValues are possible ones."""
    yield from _numbers(kong.values, "kongValues", ("replicaCount",))


def _numbers(values: Mapping[str, Any], key: str, replicas: tuple[str, ...]) -> Iterator[Problem]:
    # The agent's chart has it on by default, and Kong's has it off.
    scaling = values.get("autoscaling")
    is_on = isinstance(scaling, Mapping) and scaling.get("enabled", key == "agentValues")
    paths = (*replicas, *(("autoscaling.minReplicas", "autoscaling.maxReplicas") if is_on else ()))
    for path in paths:
        found = value_at(values, path)
        number = _number(found)
        # Zero pods of Kong are judged with the rest of its Deployment.
        lowest = 0 if key == "kongValues" else 1
        if found is not None and not (number is not None and lowest <= number <= _MOST_PODS):
            where = path_of(key, *path.split("."))
            yield Problem(
                where,
                f"is {shown(found)}, and must be a whole number of pods, {lowest} to {_MOST_PODS}: the update would "
                "wait for them until it times out",
                config_set(where, "2"),
            )
    for parts, found in _ports(values, (key,)):
        number = _number(found)
        if number is not None and not 0 <= number <= _HIGHEST_PORT:
            where = path_of(*parts)
            yield Problem(
                where,
                f"is {shown(found)}, which is not a port (1 to {_HIGHEST_PORT}): Kubernetes would refuse the object",
                config_set(where, "PORT"),
            )


def _ports(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _ports(item, (*path, index))
    for name, item in value.items() if isinstance(value, Mapping) else ():
        if name.lower().endswith("port") and not isinstance(item, Mapping | list):
            yield (*path, name), item
        else:
            yield from _ports(item, (*path, name))


def _number(value: Any) -> int | None:
    """The whole number that a value is or spells."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,30}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
