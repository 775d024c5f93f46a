"""The chart values of a managed Kong: the user's values with the plugin's files."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceable_kong.common.commands import config_remove
from traceable_kong.common.nested_data import Values, merged
from traceable_kong.config.config_problem import Problem
from traceable_kong.helm_values.chart_types import well_typed
from traceable_kong.helm_values.kong_database import Postgres, database_conflicts, with_database


def kong_fullname(release: str, user_values: Mapping[str, Any]) -> str:
    """The name of the chart's Deployment, with which its Services' names begin (kong chart 3.4.1, `kong.fullname`)."""
    default = f"{release}-{user_values.get('nameOverride') or 'kong'}"[:63].rstrip("-")
    return str(user_values.get("fullnameOverride") or default)


def kong_values(
    user_values: Mapping[str, Any],
    *,
    plugin_entries: Sequence[Mapping[str, Any]],
    ingress_class: str,
    database: Postgres | None,
) -> Values:
    """This stack's chart values with the user's merged over them; the user's other plugins stay.

    Args:
        user_values: `kongValues` of the stack config, without a problem by `kong_value_problems`.
        plugin_entries: `chart_entries()` for `plugins.configMaps`; empty when Traceable is uninstalled.
        ingress_class: of this gateway.
        database: Kong's database; None in DB-less mode. With one, the ingress controller is optional.
    """
    values = with_database(user_values, database)
    if database is None or (values.get("ingressController") or {}).get("enabled", True) is not False:
        values = merged({"ingressController": {"enabled": True, "ingressClass": ingress_class}}, values)
    if plugin_entries:
        plugins: Values = dict(values.get("plugins") or {})
        plugins["configMaps"] = [*(plugins.get("configMaps") or []), *plugin_entries]
        values["plugins"] = plugins
    return values


def kong_value_problems(user_values: Mapping[str, Any], database: Postgres | None) -> Iterator[Problem]:
    """What in `kongValues` conflicts with what this stack needs and cannot be seen in what the chart renders."""
    values, problems = well_typed(user_values, "kongValues", objects=_OBJECTS, lists=_LISTS)
    yield from problems
    yield from database_conflicts(values, database)
    if "forceUpdate" in values:
        yield Problem(
            "kongValues.forceUpdate",
            "is not a value of the chart but an option of Helm that replaces objects instead of updating them: all "
            "gateway pods would be deleted at once",
            config_remove("kongValues.forceUpdate"),
        )
    if any((values.get("dblessConfig") or {}).values()):
        yield Problem(
            "kongValues.dblessConfig",
            "is a declarative configuration, which the chart uses only for a Kong without an ingress controller and "
            "without a database: its routes would be missing",
            f"{config_remove('kongValues.dblessConfig')}, and write the routes as Kubernetes objects, which the "
            "ingress controller gives to Kong",
        )


_OBJECTS = ("customEnv", "dblessConfig", "env", "ingressController", "migrations", "plugins", "postgresql")
"""Values that are objects in the chart and that this folder reads."""

_LISTS = ("plugins.configMaps",)
