"""The chart values of a managed Kong: the user's values with the plugin's files."""

from collections.abc import Mapping, Sequence
from typing import Any

from traceable_kong.common.nested_data import Values, merged
from traceable_kong.helm_values.chart_environment import environment
from traceable_kong.helm_values.kong_conflicts import (
    KongValuesError,
    refuse_conflicts,
    require,
    require_chart_types,
)
from traceable_kong.helm_values.kong_database import Postgres, with_database
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
    admin_certificate: bool,
) -> Values:
    """This stack's chart values with the user's merged over them; the user's other plugins stay.

    Args:
        user_values: `kongValues` of the stack config.
        plugin_entries: `chart_entries()` for `plugins.configMaps`; empty when Traceable is uninstalled.
        ingress_class: of this gateway.
        database: Kong's database; None in DB-less mode. With one, the ingress controller is optional.
        admin_certificate: whether the stack has a client certificate for the Admin API.

    Raises KongValuesError for a conflict. One is silent in the chart: `env.plugins` replaces the list that the chart
    creates from `plugins.configMaps` (kong chart 3.4.1).
    """
    require_chart_types(user_values)
    values = with_database(user_values, database)
    if database is None or (values.get("ingressController") or {}).get("enabled", True) is not False:
        values = merged({"ingressController": {"enabled": True, "ingressClass": ingress_class}}, values)
        require(values, ["ingressController", "enabled"], True, None)
        require(values, ["ingressController", "ingressClass"], ingress_class, "kong.ingressClass")
    refuse_conflicts(values, ingress_class=ingress_class, database=database is not None, certificate=admin_certificate)
    own_plugins = {entry["pluginName"] for entry in plugin_entries}
    for where, name, value in environment(values):
        unmounted = TRACEABLE_PLUGINS.intersection(_listed(value)) - own_plugins if name == "KONG_PLUGINS" else set()
        if unmounted:
            raise KongValuesError(
                f"{where} is {value!r}, but this stack does not mount the files of {', '.join(sorted(unmounted))}. "
                "Kong would not start. Remove it from that list in the same update."
            )
    if not plugin_entries:
        return values

    plugins: Values = dict(values.get("plugins") or {})
    user_entries = list(plugins.get("configMaps") or [])
    for entry in user_entries:
        if isinstance(entry, Mapping) and entry.get("pluginName") in own_plugins:
            raise KongValuesError(
                f"kongValues.plugins.configMaps has an entry for the plugin {entry['pluginName']!r}, which this stack "
                "mounts itself. Kong would have two sets of its files. Remove that entry."
            )
    plugins["configMaps"] = [*user_entries, *plugin_entries]
    values["plugins"] = plugins

    for where, name, value in environment(values):
        if name == "KONG_PLUGINS":
            listed = _listed(value)
            missing = sorted(own_plugins.difference(listed))
            if missing:
                raise KongValuesError(
                    f"{where} is {value!r}, without {', '.join(missing)}. The chart would use that list instead of its "
                    "own, and Kong would not load the plugin. Remove it and list your own plugins in "
                    f"kongValues.plugins.configMaps; or set it to {','.join([*listed, *missing])!r}."
                )
        if name == "KONG_LUA_PACKAGE_PATH" and LUA_PATH not in str(value).split(";"):
            raise KongValuesError(
                f"{where} is {value!r}, without {LUA_PATH}. Kong would not find the plugin's files and not start. Set "
                f"it to {LUA_PATH + ';' + str(value)!r}."
            )
    return values


def _listed(value: object) -> list[str]:
    return [item.strip() for item in str(value).split(",")]
