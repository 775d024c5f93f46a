"""The environment variables of Kong and of its ingress controller in values of the Kong chart."""

from collections.abc import Mapping
from typing import Any

from traceable_kong.config.config_problem import path_of


def environment(values: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """(key in the config, variable, value) for every variable that the values set in Kong's environment."""
    return _variables(values, "KONG_", "kongValues")


def controller_environment(values: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """The same for the ingress controller's environment."""
    return _variables(values.get("ingressController") or {}, "CONTROLLER_", "kongValues", "ingressController")


def _variables(values: Mapping[str, Any], prefix: str, *path: str) -> list[tuple[str, str, Any]]:
    """The chart upper-cases the keys, of `env` with the prefix, of `customEnv` without (kong chart 3.4.1)."""
    return [
        (path_of(*path, group, str(key)), f"{start}{key}".upper(), value)
        for group, start in (("env", prefix), ("customEnv", ""))
        for key, value in (values.get(group) or {}).items()
    ]


def kong_environment(values: Mapping[str, Any]) -> dict[str, str]:
    """`{variable: value}` of Kong's environment that the values set as plain text."""
    return {name: str(value) for _, name, value in environment(values) if isinstance(value, str | int | float)}
