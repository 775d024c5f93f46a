"""The chart values of a managed Kong: the user's values with the plugin's files laid over them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from traceable_kong.common.nested_data import Values, merged
from traceable_kong.helm_values.kong_conflicts import (
    KongValuesError,
    environment,
    refuse_other_shapes,
    refuse_what_cannot_be_had,
    require,
)
from traceable_kong.helm_values.kong_database import Postgres, with_database
from traceable_kong.plugin.config_maps import LUA_PATH
from traceable_kong.plugin.plugin_options import TRACEABLE_PLUGINS


def kong_fullname(release: str, user_values: Mapping[str, Any]) -> str:
    """The name of the chart's Deployment, and the stem of its Services' names (kong chart 3.4.1, `kong.fullname`)."""
    made = f"{release}-{user_values.get('nameOverride') or 'kong'}"[:63].rstrip("-")
    return str(user_values.get("fullnameOverride") or made)


def kong_values(
    user_values: Mapping[str, Any],
    *,
    plugin_entries: Sequence[Mapping[str, Any]],
    ingress_class: str,
    database: Postgres | None,
    admin_certificate: bool = False,
) -> Values:
    """The chart's values: ours, with the user's laid on them; their other plugins stay beside ours.

    Args:
        user_values: `kongValues` of the stack.
        plugin_entries: what `chart_entries()` gave, for `plugins.configMaps`; none where Traceable leaves.
        ingress_class: of this gateway.
        database: Kong's, None where it has none. With one, the ingress controller need not be there.
        admin_certificate: whether this program has a certificate to show to the Admin API.

    Raises KongValuesError where both cannot be had (kong chart 3.4.1: `env.plugins` takes the place of the list that
    the chart makes of `plugins.configMaps`, and says nothing).
    """
    refuse_other_shapes(user_values)
    values = with_database(user_values, database)
    if database is None or (values.get("ingressController") or {}).get("enabled", True) is not False:
        values = merged({"ingressController": {"enabled": True, "ingressClass": ingress_class}}, values)
        require(values, ["ingressController", "enabled"], True, None)
        require(values, ["ingressController", "ingressClass"], ingress_class, "kong.ingressClass")
    refuse_what_cannot_be_had(
        values, ingress_class=ingress_class, database=database is not None, certificate=admin_certificate
    )
    ours_by_plugin = {entry["pluginName"] for entry in plugin_entries}
    for where, name, value in environment(values):
        gone = TRACEABLE_PLUGINS.intersection(_listed(value)) - ours_by_plugin if name == "KONG_PLUGINS" else set()
        if gone:
            raise KongValuesError(
                f"{where} is {value!r}, and the files of {', '.join(sorted(gone))} will not be there: Kong would not "
                "start. Take it out of that list in the same change."
            )
    if not plugin_entries:
        return values

    plugins: Values = dict(values.get("plugins") or {})
    theirs = list(plugins.get("configMaps") or [])
    for entry in theirs:
        if isinstance(entry, Mapping) and entry.get("pluginName") in ours_by_plugin:
            raise KongValuesError(
                f"kongValues.plugins.configMaps names the plugin {entry['pluginName']!r}, which this program mounts "
                "itself: Kong would find two sets of files in one place. Take that entry out."
            )
    plugins["configMaps"] = [*theirs, *plugin_entries]
    values["plugins"] = plugins

    for where, name, value in environment(values):
        if name == "KONG_PLUGINS":
            listed = _listed(value)
            missing = sorted(ours_by_plugin.difference(listed))
            if missing:
                raise KongValuesError(
                    f"{where} is {value!r}, without {', '.join(missing)}: the chart would use that list in place of "
                    "its own, and Kong would not load the plugin. Leave it out, and name plugins of your own in "
                    f"kongValues.plugins.configMaps; or write {','.join([*listed, *missing])!r}."
                )
        if name == "KONG_LUA_PACKAGE_PATH" and LUA_PATH not in str(value).split(";"):
            raise KongValuesError(
                f"{where} is {value!r}, without {LUA_PATH}: Kong would look for the plugin's files elsewhere and not "
                f"start. Write {LUA_PATH + ';' + str(value)!r}."
            )
    return values


def _listed(value: object) -> list[str]:
    return [item.strip() for item in str(value).split(",")]
