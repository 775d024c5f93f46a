"""Checks that an older LuaRocks package (rock) knows the plugins and options that the cluster uses now.

An update rolls the files before it changes the options. A new pod with an older rock would get an option or a plugin
that it does not know, and never become ready. So such a change takes two updates: first remove what the older rock
lacks, then change the files.
"""

from collections.abc import Iterator

from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS, NAMESPACED_PLUGINS, annotations_of, labels_of, name_of
from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.ownership import is_owned, selector
from traceable_kong.common.commands import config_set
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.plugin.plugin_options import FURTHER_OPTIONS, MODE_SINCE, NEWEST_KNOWN, OWN_SETTINGS, plugin_version
from traceable_kong.preflight.agent_protection import recorded_parts
from traceable_kong.preflight.cached_reader import CachedReader, plugins_of
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.installation_record import recorded

DISABLE_FIRST = (
    f"Use two steps. First `{config_set('installed', 'true')}`, `{config_set('enabled', 'false')}`, `pulumi up`. Then "
    f"`{config_set('installed', 'false')}`, `pulumi up`"
)


def current_options_are_known(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The rock knows every option of the current plugin, whatever the plugin's name."""
    if not gateway.installed:
        return
    for current in _current_plugins(reader, plan, gateway):
        unknown = unknown_options(current.get("config") or {}, gateway.rock.version)
        if unknown:
            yield _not_known(reader, plan, gateway, name_of(current), unknown)


def _not_known(reader: CachedReader, plan: Plan, gateway: Gateway, name: str, unknown: list[str]) -> Finding:
    return Finding(
        subject=f"kongclusterplugin {name}",
        problem=f"has {', '.join(unknown)}, which version {gateway.rock.version} does not know. New pods would "
        "refuse their whole configuration and never become ready",
        fix=fix_for_unknown_options(reader, plan, gateway, unknown, "plugin-kong-cluster-plugin"),
    )


def fix_for_unknown_options(
    reader: CachedReader, plan: Plan, gateway: Gateway, unknown: list[str], resource: str
) -> str:
    """How to remove options before the rock that does not know them; `resource` is the plugin's name in the engine."""
    record = recorded(reader, plan)
    version, digest = record.get("rockVersion", "VERSION"), record.get("rockSha256", "DIGEST")
    if set(unknown) & {"mode", "buffer_request_body"}:
        delete = f"`pulumi destroy --target '**{resource}' --target-dependents`"
        why = "The plugin always has these options, so it has to be deleted first. Kong runs without it until then"
        parts = recorded_parts(record)
        if not parts:
            return f"{why}. Run {delete}, then `pulumi up`"
        # The deletion protection covers every step, also the plugin (components/deletion_protection.py).
        off, on = (
            ", ".join(f"`{config_set(f'{part}.protect', value)}`" for part in parts) for value in ("false", "true")
        )
        return (
            f"{why}. The stack is protected against deletion ({', '.join(f'{part}.protect' for part in parts)}), and "
            "so is the plugin. Use three steps. First remove the protection, with the current rock: "
            f"{_set_rock(version, digest)} (and plugin.rock as it was), {off}, `pulumi up`. Then {delete}. Then the "
            "new rock, and the protection again: "
            f"{_set_rock(gateway.rock.version, gateway.rock.sha256)}, {on}, `pulumi up`"
        )
    return (
        f"Use two steps. First remove the options, with the current rock: {_set_rock(version, digest)} (and "
        "plugin.rock as it was), `pulumi up`. Then change the rock: "
        f"{_set_rock(gateway.rock.version, gateway.rock.sha256)}, `pulumi up`"
    )


def _set_rock(version: str, digest: str) -> str:
    return f"`{config_set('plugin.version', version)}`, `{config_set('plugin.sha256', digest)}`"


def unknown_options(config: Document, rock_version: str) -> list[str]:
    """The options in `config` that a rock does not know."""
    version = plugin_version(rock_version)
    since = {name: option.since for name, option in FURTHER_OPTIONS.items()}
    since |= {name: MODE_SINCE if name in ("mode", "buffer_request_body") else (0, 0, 0) for name in OWN_SETTINGS}
    # A rock that is newer than this list may know more options.
    return sorted(name for name in config if (version < since[name] if name in since else version <= NEWEST_KNOWN))


def removed_plugins_are_unused(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """No KongPlugin or KongClusterPlugin of the ingress class uses a plugin whose files are removed."""
    live = reader.get(gateway.kong.deployment.path)
    if live is None:
        return
    kept = frozenset(gateway.rock.plugins) if gateway.installed else frozenset[str]()
    removed = mounted(reader, plan, gateway, live) - kept
    if not removed:
        return
    for kind, path in (("kongclusterplugin", CLUSTER_PLUGINS), ("kongplugin", NAMESPACED_PLUGINS)):
        for item in reader.list(path):
            if item.get("plugin") not in removed or not _is_read_by(item, gateway.kong.ingress_class):
                continue
            # The update deletes this stack's own plugin before its files.
            if kind == "kongclusterplugin" and is_owned(labels_of(item), plan.owner):
                continue
            namespace = (item.get("metadata") or {}).get("namespace")
            where = f" --namespace {namespace}" if namespace else ""
            yield Finding(
                subject=f"{kind} {name_of(item)}" + (f" in namespace {namespace}" if namespace else ""),
                problem=f"uses the plugin {item['plugin']}, whose files this update removes"
                + (f" ({gateway.rock.version} lacks it)" if gateway.installed else "")
                + ". New pods would refuse their whole configuration and never become ready",
                fix=f"Delete it: `kubectl delete {kind} {name_of(item)}{where}` (and the annotations that name it). "
                f"Then run `pulumi up`. Or keep the current rock: `{config_set('plugin.version', 'VERSION')}`",
            )


def plugin_is_disabled_before_uninstall(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """Before `installed: false`, the plugin is disabled."""
    if gateway.installed:
        return
    for current in _current_plugins(reader, plan, gateway):
        if current.get("disabled") is True:
            continue
        yield Finding(
            subject=f"kongclusterplugin {name_of(current)}",
            problem="is still enabled, and installed: false removes its files. Until then it would call a TME that is "
            "removed",
            fix=DISABLE_FIRST,
        )


def _current_plugins(reader: CachedReader, plan: Plan, gateway: Gateway) -> list[Document]:
    """This stack's KongClusterPlugins: one, and those that an interrupted update left under other names."""
    return plugins_of(reader, plan.owner) if gateway.plugin.custom_resource else []


def mounted(reader: CachedReader, plan: Plan, gateway: Gateway, live: Document) -> frozenset[str]:
    """The plugins whose files the Deployment mounts from this stack's ConfigMaps, by volume name (kong chart 3.4.1)."""
    label = selector(plan.owner)
    owned = {
        name_of(item)
        for item in reader.list(gateway.kong.deployment.config_maps_path, metadata_only=True, labelSelector=label)
    }
    volumes = live["spec"]["template"]["spec"].get("volumes") or []
    return frozenset(
        volume["name"].removeprefix("kong-plugin-")
        for volume in volumes
        if volume["name"].startswith("kong-plugin-") and (volume.get("configMap") or {}).get("name") in owned
    )


def _is_read_by(item: Document, ingress_class: str) -> bool:
    """Whether the controller of that class may read it. A KongPlugin needs no class."""
    return annotations_of(item).get(INGRESS_CLASS, ingress_class) == ingress_class
