"""Kong's environment variables in values of the Kong chart."""

from collections.abc import Mapping
from typing import Any

from traceable_kong.config.config_problem import path_of


def environment(values: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """(key in the config, variable, value) for every variable that the values set in Kong's environment.

    The chart upper-cases the keys, of `env` with the prefix KONG_, of `customEnv` without (kong chart 3.4.1).
    """
    return [
        (path_of("kongValues", group, str(key)), f"{prefix}{key}".upper(), value)
        for group, prefix in (("env", "KONG_"), ("customEnv", ""))
        for key, value in (values.get(group) or {}).items()
    ]


def controller_environment(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key in the config, variable) for every variable that the values set in the ingress controller's environment.

    The chart upper-cases the keys, of `env` with the prefix CONTROLLER_, of `customEnv` without (kong chart 3.4.1).
    """
    controller = values.get("ingressController") or {}
    return [
        (path_of("kongValues", "ingressController", group, str(key)), f"{prefix}{key}".upper())
        for group, prefix in (("env", "CONTROLLER_"), ("customEnv", ""))
        for key in controller.get(group) or {}
    ]


def kong_environment(values: Mapping[str, Any]) -> dict[str, str]:
    """`{variable: value}` of Kong's environment that the values set as plain text."""
    return {name: str(value) for _, name, value in environment(values) if isinstance(value, str | int | float)}
