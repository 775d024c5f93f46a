"""The chart values of a managed Kong: the user's values with the plugin's files."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.common.nested_data import Values, merged
from traceable_kong.config.config_problem import Problem, shown
from traceable_kong.helm_values.chart_environment import environment
from traceable_kong.helm_values.chart_types import well_typed
from traceable_kong.helm_values.kong_conflicts import LISTS, OBJECTS, conflicts, other_value
from traceable_kong.helm_values.kong_database import Postgres, database_conflicts, with_database
from traceable_kong.plugin.config_maps import LUA_PATH
from traceable_kong.plugin.plugin_options import TRACEABLE_PLUGINS


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
    if _wants_controller(values, database):
        values = _with_controller(values, ingress_class)
    if plugin_entries:
        plugins: Values = dict(values.get("plugins") or {})
        plugins["configMaps"] = [*(plugins.get("configMaps") or []), *plugin_entries]
        values["plugins"] = plugins
    return values


def _wants_controller(values: Mapping[str, Any], database: Postgres | None) -> bool:
    return database is None or (values.get("ingressController") or {}).get("enabled", True) is not False


def _with_controller(values: Mapping[str, Any], ingress_class: str) -> Values:
    return merged({"ingressController": {"enabled": True, "ingressClass": ingress_class}}, values)


def kong_value_problems(
    user_values: Mapping[str, Any],
    *,
    plugin_entries: Sequence[Mapping[str, Any]],
    ingress_class: str,
    database: Postgres | None,
    admin_certificate: bool,
) -> Iterator[Problem]:
    """What in `kongValues` conflicts with what this stack needs.

    `admin_certificate` says whether the stack has a client certificate for the Admin API; the other arguments are those
    of `kong_values`.
    """
    values, problems = well_typed(user_values, "kongValues", objects=OBJECTS, lists=LISTS)
    yield from problems
    yield from database_conflicts(values, database)
    if _wants_controller(values, database):
        values = _with_controller(values, ingress_class)
        yield from other_value(values, "ingressController.enabled", True, None)
        yield from other_value(values, "ingressController.ingressClass", ingress_class, "kong.ingressClass")
    yield from conflicts(
        values, ingress_class=ingress_class, database=database is not None, certificate=admin_certificate
    )
    yield from _plugin_conflicts(values, {entry["pluginName"] for entry in plugin_entries})


def _plugin_conflicts(values: Mapping[str, Any], own: set[str]) -> Iterator[Problem]:
    """What would keep Kong from loading this stack's plugins, or from starting.

    One is silent in the chart: `env.plugins` replaces the list that the chart creates from `plugins.configMaps` (kong
    chart 3.4.1).
    """
    entries = (values.get("plugins") or {}).get("configMaps") or []
    for number, entry in enumerate(entries):
        if isinstance(entry, Mapping) and entry.get("pluginName") in own:
            where = f"kongValues.plugins.configMaps[{number}]"
            yield Problem(
                where,
                f"is an entry for the plugin {entry['pluginName']!r}, which this stack mounts itself: Kong would have "
                "two sets of its files",
                config_remove(where),
            )
    for where, name, value in environment(values):
        if name == "KONG_PLUGINS":
            yield from _list_conflicts(where, value, own)
        if name == "KONG_LUA_PACKAGE_PATH" and own and LUA_PATH not in str(value).split(";"):
            fix = config_set(where, f"{LUA_PATH};{value}") if isinstance(value, str) else config_remove(where)
            yield Problem(
                where,
                f"is {shown(value)}, without {LUA_PATH}: Kong would not find the plugin's files and not start",
                fix,
            )


def _list_conflicts(where: str, value: object, own: set[str]) -> Iterator[Problem]:
    listed = [item.strip() for item in str(value).split(",")]
    if unmounted := sorted(TRACEABLE_PLUGINS.intersection(listed) - own):
        rest = ",".join(item for item in listed if item not in unmounted)
        yield Problem(
            where,
            f"is {shown(value)}, but this stack does not mount the files of {', '.join(unmounted)}: Kong would not "
            "start",
            f"in the same update, {config_set(where, rest) if rest else config_remove(where)}",
        )
    if missing := sorted(own.difference(listed)):
        fix = f"{config_remove(where)}, and list your own plugins in kongValues.plugins.configMaps"
        if isinstance(value, str):
            fix += f"; or {config_set(where, ','.join([*listed, *missing]))}"
        yield Problem(
            where,
            f"is {shown(value)}, without {', '.join(missing)}: the chart would use that list instead of its own, and "
            "Kong would not load the plugin",
            fix,
        )
