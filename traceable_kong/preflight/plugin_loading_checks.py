"""Checks of what Kong will load: the list of its plugins, and the path where it looks for their files."""

from collections.abc import Iterator

from traceable_kong.common.commands import config_set
from traceable_kong.deployment_patch.kong_variables import PACKAGE_PATH, PLUGINS, split_entries, with_files_first
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plugin.config_maps import LUA_PATH
from traceable_kong.plugin.plugin_options import TRACEABLE_PLUGINS
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding, deployment_subject, kong_subject
from traceable_kong.preflight.kong_pod import kong_variables, removal_of, setting_is, setting_of


def kong_accepts_its_list_of_plugins(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """KONG_PLUGINS names plugins that Kong finds: `off` alone or none of it, and no empty entry.

    Kong splits the list at commas. `off` as its first entry loads none, and an empty entry is a plugin that is not
    installed (kong 3.9, kong/conf_loader/init.lua).
    """
    listed = _list(reader, gateway)
    if listed is None:
        return
    where = deployment_subject(gateway.kong.deployment)
    given = setting_is(gateway, PLUGINS, ",".join(listed))
    if listed[0] == "off" and len(listed) > 1:
        yield Finding(
            subject=where,
            problem=f"has a list of plugins that begins with off ({given}). Kong would load none of them",
            fix=f"Replace off by the plugins that it means, for example {','.join(['bundled', *listed[1:]])!r}. "
            + removal_of(gateway, PLUGINS),
        )
    elif "" in listed and any(listed):
        yield Finding(
            subject=where,
            problem=f"has a list of plugins with an empty entry ({given}). Kong takes it for "
            "a plugin that is not installed, and does not start",
            fix=f"Set it to {','.join(filter(None, listed))!r}",
        )
    unmounted = sorted(TRACEABLE_PLUGINS.intersection(listed) - _own(gateway))
    if unmounted and isinstance(gateway.kong, ManagedKong):
        yield Finding(
            subject=where,
            problem=f"lists {', '.join(unmounted)} ({given}), whose files this stack does "
            "not mount. Kong would not start",
            fix="Remove it from that list in the same update",
        )


def managed_kong_loads_the_plugin(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """A managed Kong lists the plugin, and finds its files. An existing one gets both from this stack or its owner.

    The chart uses `env.plugins` in place of the list that it creates from `plugins.configMaps` (kong chart 3.4.1).
    """
    environment, own = kong_variables(reader, gateway), sorted(_own(gateway))
    if environment is None or not isinstance(gateway.kong, ManagedKong) or not own:
        return
    where = deployment_subject(gateway.kong.deployment)
    for name in (PLUGINS, PACKAGE_PATH):
        if environment.get(name, "") is None:
            yield Finding(
                subject=where,
                problem=f"takes {name} from another object ({setting_of(gateway, name)}). Whether Kong would load the "
                "plugin cannot be determined",
                fix=removal_of(gateway, name),
            )
    listed = _list(reader, gateway)
    if listed is not None and (missing := [name for name in own if name not in listed]):
        setting, given = setting_of(gateway, PLUGINS), setting_is(gateway, PLUGINS, ",".join(listed))
        wanted = ",".join([*(filter(None, listed)), *missing])
        yield Finding(
            subject=where,
            problem=f"would not load the plugin: {given}, without {', '.join(missing)}. The "
            "chart uses that list in place of its own",
            fix=f"{removal_of(gateway, PLUGINS)}, and list your own plugins in kongValues.plugins.configMaps. Or set "
            f"it: `{config_set(setting, f'bundled,{wanted}' if not any(listed) else wanted)}`",
        )
    path = environment.get(PACKAGE_PATH, "")
    if path is not None and LUA_PATH not in split_entries(path, PACKAGE_PATH):
        setting = setting_of(gateway, PACKAGE_PATH)
        yield Finding(
            subject=where,
            problem=f"would not find the plugin's files: {setting_is(gateway, PACKAGE_PATH, path)}, without "
            f"{LUA_PATH}. Kong would not start",
            fix=f"Set it: `{config_set(setting, f'{LUA_PATH};{path}')}`",
        )


def plugin_files_are_found_first(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The plugin's files come first in Kong's Lua package path."""
    value = (kong_variables(reader, gateway) or {}).get(PACKAGE_PATH) if gateway.installed else None
    if value and (first := with_files_first(value)):
        name = setting_of(gateway, PACKAGE_PATH)
        yield Finding(
            subject=kong_subject(gateway.kong.deployment),
            problem="searches another folder before the plugin's files "
            f"({setting_is(gateway, PACKAGE_PATH, value)}). It would load files of the same names from there, and the "
            "verification would not notice",
            fix=f"Set {name} to {first!r}",
            severity="warning",
        )


def _list(reader: CachedReader, gateway: Gateway) -> list[str] | None:
    """The entries of KONG_PLUGINS; None where it is not set, or its value is not known."""
    value = (kong_variables(reader, gateway) or {}).get(PLUGINS)
    return None if value is None else split_entries(value, PLUGINS)


def _own(gateway: Gateway) -> set[str]:
    return {item.plugin for item in gateway.config_maps}
