"""The Kong gateway: the Helm Release with the plugin's files mounted in it.

Leaves out the injector's annotation on the pods: as a chart value it would be taken away before the plugin has
changed, and the plugin would go on calling a sidecar that is gone. TmeInjection sets it, in its own place in the order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.helm import Chart, helm_release
from values import Values, merged

LUA_PATH = "/opt/?.lua"
"""Where Kong finds `kong.plugins.NAME` when its files are mounted at /opt/kong/plugins/NAME."""


class KongValuesError(pulumi.RunError):
    """The user's chart values and ours contradict each other; the text says where, and what to write instead."""


def kong_fullname(release: str, user_values: Mapping[str, Any]) -> str:
    """The name of the chart's Deployment, and the stem of its Services' names (kong chart 3.4.1, `kong.fullname`)."""
    made = f"{release}-{user_values.get('nameOverride') or 'kong'}"[:63].rstrip("-")
    return str(user_values.get("fullnameOverride") or made)


def kong_values(
    user_values: Mapping[str, Any],
    *,
    plugin_entries: Sequence[Mapping[str, Any]],
    ingress_class: str,
    database: str,
) -> Values:
    """The chart's values: ours, with the user's laid on them; their other plugins stay beside ours.

    Args:
        user_values: `kongValues` of the stack.
        plugin_entries: what `chart_entries()` gave, for `plugins.configMaps`.
        ingress_class: of this gateway.
        database: `off` or `postgres`.

    Raises KongValuesError where both cannot be had (kong chart 3.4.1: `env.plugins` takes the place of the list that
    the chart makes of `plugins.configMaps`, and says nothing).
    """
    ours: Values = {
        "env": {"database": database},
        "ingressController": {"enabled": True, "ingressClass": ingress_class},
    }
    values = merged(ours, user_values)
    _require(values, ["env", "database"], database, "kong.database")
    _require(values, ["ingressController", "enabled"], True, None)
    _require(values, ["ingressController", "ingressClass"], ingress_class, "kong.ingressClass")

    plugins: Values = dict(values.get("plugins") or {})
    theirs = list(plugins.get("configMaps") or [])
    ours_by_plugin = {entry["pluginName"] for entry in plugin_entries}
    for entry in theirs:
        if isinstance(entry, Mapping) and entry.get("pluginName") in ours_by_plugin:
            raise KongValuesError(
                f"kongValues.plugins.configMaps names the plugin {entry['pluginName']!r}, which this program mounts "
                "itself: Kong would find two sets of files in one place. Take that entry out."
            )
    plugins["configMaps"] = [*theirs, *plugin_entries]
    values["plugins"] = plugins

    for where, name, value in _environment(values):
        if name == "KONG_PLUGINS":
            listed = [item.strip() for item in str(value).split(",")]
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


def _environment(values: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """Where, variable and value of what the user's values put into Kong's environment over the chart's own.

    The chart upper-cases the keys: of `env` with the prefix KONG_, of `customEnv` as they are (kong chart 3.4.1).
    """
    return [
        (f"kongValues.{group}.{key}", f"{prefix}{key}".upper(), value)
        for group, prefix in (("env", "KONG_"), ("customEnv", ""))
        for key, value in (values.get(group) or {}).items()
    ]


def _require(values: Mapping[str, Any], path: Sequence[str], expected: object, config_key: str | None) -> None:
    found: Any = values
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    if found != expected:
        mend = f"set traceable-kong:{config_key} instead" if config_key else "take it out"
        raise KongValuesError(
            f"kongValues.{'.'.join(path)} is {found!r}, where this program needs {expected!r}: {mend}."
        )


@dataclass(frozen=True, kw_only=True)
class KongGatewayArgs:
    """What the gateway is made of.

    `fullname` is what `kong_fullname()` gave: fixed, because a Release's own `resourceNames` are unknown in every
    preview that changes it. `values` is what `kong_values()` gave; `timeout_seconds` is how long Helm waits for the
    gateway to be ready, and again for a roll-back.
    """

    namespace: str
    release: str
    fullname: str
    chart: Chart
    values: Values = field(repr=False)
    timeout_seconds: int


class KongGateway(pulumi.ComponentResource):
    """The gateway.

    Outputs: `deployment` (str), `proxy_service` (str), `revision` (int: Helm's revision, unknown in a preview exactly
    when the Release changes). `release` is the Release itself.
    """

    def __init__(self, name: str, *, args: KongGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("traceable-kong:index:KongGateway", name, None, opts)
        self.release = helm_release(
            f"{name}-release",
            name=args.release,
            namespace=args.namespace,
            chart=args.chart,
            values=args.values,
            timeout_seconds=args.timeout_seconds,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.deployment = args.fullname
        self.proxy_service = f"{args.fullname}-proxy"
        self.revision: pulumi.Output[int] = self.release.status.apply(lambda status: int(status.revision or 0))
        self.register_outputs(
            {"deployment": self.deployment, "proxyService": self.proxy_service, "revision": self.revision}
        )
