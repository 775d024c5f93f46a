"""What stands in the cluster, against the rock that comes: files roll before options, and Kong refuses what it lacks.

A new pod with an older rock would be handed an option, or a plugin, that it does not know, and never get ready. So such
a step takes two: first what goes is taken out, then the files change.
"""

from collections.abc import Iterator

from traceable_kong.cluster.kubernetes_client import Document
from traceable_kong.cluster.ownership import is_owned, selector
from traceable_kong.common.commands import config_set
from traceable_kong.plugin.kong_cluster_plugin import INGRESS_CLASS
from traceable_kong.plugin.plugin_options import FURTHER_OPTIONS, MODE_SINCE, NEWEST_KNOWN, OWN_SETTINGS, plugin_version
from traceable_kong.preflight.agent_protection import recorded_parts
from traceable_kong.preflight.cached_reader import (
    CLUSTER_PLUGINS,
    NAMESPACED_PLUGINS,
    CachedReader,
    annotations_of,
    config_maps,
    deployment,
    labels_of,
    name_of,
    plugins_of,
)
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.intent import Intent


def standing_options_are_known(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The rock knows every option of the plugin that stands, under its new name or an older one."""
    if not intent.installed:
        return
    for standing in _standing(looks, intent):
        unknown = unknown_options(standing.get("config") or {}, intent.plugin.rock_version)
        if unknown:
            yield _not_known(looks, intent, name_of(standing), unknown)


def _not_known(looks: CachedReader, intent: Intent, name: str, unknown: list[str]) -> Finding:
    return Finding(
        subject=f"kongclusterplugin {name}",
        wrong=f"has {', '.join(unknown)}, which {intent.plugin.rock_version} does not know: new pods would refuse "
        "their whole configuration and never get ready",
        mend=mend_unknown_options(looks, intent, unknown, "plugin-kong-cluster-plugin"),
    )


def mend_unknown_options(looks: CachedReader, intent: Intent, unknown: list[str], resource: str) -> str:
    """How options go before the rock that does not know them; `resource` is the engine's name of the plugin."""
    record = (looks.get(f"{config_maps(intent.gateway.namespace)}/{intent.record}") or {}).get("data") or {}
    version, digest = record.get("rockVersion", "VERSION"), record.get("rockSha256", "DIGEST")
    if set(unknown) & {"mode", "buffer_request_body"}:
        delete = f"`pulumi destroy --target '**{resource}' --target-dependents`"
        why = (
            "every rock that knows these options is told them, so the plugin itself has to go first, and Kong runs "
            "without it for that long"
        )
        parts = recorded_parts(record)
        if not parts:
            return f"{why}: {delete}, then `pulumi up`"
        # What refuses a destroy depends on every step, so on the plugin too (components/deletion_protection.py).
        off, on = (
            ", ".join(f"`{config_set(f'{part}.protect', value)}`" for part in parts) for value in ("false", "true")
        )
        return (
            f"{why}; and the stack is protected against deletion ({', '.join(f'{part}.protect' for part in parts)}), "
            "which covers the plugin. Three steps. First lift the protection, with the rock that stands: "
            f"{_set_rock(version, digest)} (and plugin.rock as it was), {off}, `pulumi up`. Then {delete}. Then the "
            "rock, and the protection again: "
            f"{_set_rock(intent.plugin.rock_version, intent.plugin.rock_sha256)}, {on}, `pulumi up`"
        )
    return (
        f"two steps. First the options, with the rock that stands: {_set_rock(version, digest)} (and plugin.rock as it "
        f"was), `pulumi up`. Then the rock: {_set_rock(intent.plugin.rock_version, intent.plugin.rock_sha256)}, "
        "`pulumi up`"
    )


def _set_rock(version: str, digest: str) -> str:
    return f"`{config_set('plugin.version', version)}`, `{config_set('plugin.sha256', digest)}`"


def unknown_options(config: Document, rock_version: str) -> list[str]:
    """The options in `config` that a rock does not know. Pure."""
    version = plugin_version(rock_version)
    since = {name: option.since for name, option in FURTHER_OPTIONS.items()}
    since |= {name: MODE_SINCE if name in ("mode", "buffer_request_body") else (0, 0, 0) for name in OWN_SETTINGS}
    # A rock newer than our list may know more than it.
    return sorted(name for name in config if (version < since[name] if name in since else version <= NEWEST_KNOWN))


def plugins_that_go_are_not_in_use(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """No KongPlugin or KongClusterPlugin of our class names a plugin whose files will be gone."""
    gateway = intent.gateway
    live = looks.get(deployment(gateway.namespace, gateway.deployment))
    if live is None:
        return
    stays = intent.plugin.shipped if intent.installed else frozenset[str]()
    gone = mounted(looks, intent, live) - stays
    if not gone:
        return
    for kind, path in (("kongclusterplugin", CLUSTER_PLUGINS), ("kongplugin", NAMESPACED_PLUGINS)):
        for item in looks.list(path):
            if item.get("plugin") not in gone or not _is_read_by(item, gateway.ingress_class):
                continue
            # Our own goes before its files.
            if kind == "kongclusterplugin" and is_owned(labels_of(item), intent.owner):
                continue
            namespace = (item.get("metadata") or {}).get("namespace")
            where = f" --namespace {namespace}" if namespace else ""
            yield Finding(
                subject=f"{kind} {name_of(item)}" + (f" in namespace {namespace}" if namespace else ""),
                wrong=f"uses the plugin {item['plugin']}, whose files go with this change"
                + (f" ({intent.plugin.rock_version} lacks it)" if intent.installed else "")
                + ": new pods would refuse their whole configuration and never get ready",
                mend=f"`kubectl delete {kind} {name_of(item)}{where}` (and what names it), then `pulumi up`; or keep "
                "the rock that stands: `pulumi config set --path traceable-kong:plugin.version VERSION`",
            )


def switched_off_before_it_leaves(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """`installed: false` finds a plugin that is disabled already."""
    if intent.installed:
        return
    for standing in _standing(looks, intent):
        if standing.get("disabled") is True:
            continue
        yield Finding(
            subject=f"kongclusterplugin {name_of(standing)}",
            wrong="is still enabled, and installed: false takes its files away: it would be in force until then, and "
            "call a TME that goes",
            mend="two steps. First `pulumi config set traceable-kong:installed true`, `pulumi config set "
            "traceable-kong:enabled false`, `pulumi up`; then `pulumi config set traceable-kong:installed false`, "
            "`pulumi up`",
        )


def _standing(looks: CachedReader, intent: Intent) -> list[Document]:
    """The plugins of this stack that stand: one, and what a killed run left under another name."""
    return plugins_of(looks, intent.owner) if intent.plugin.object_name else []


def mounted(looks: CachedReader, intent: Intent, live: Document) -> frozenset[str]:
    """The plugins whose files the Deployment mounts from this stack's ConfigMaps (kong chart 3.4.1, volume names)."""
    label = selector(intent.owner)
    ours = {
        name_of(item)
        for item in looks.list(config_maps(intent.gateway.namespace), metadata_only=True, labelSelector=label)
    }
    volumes = live["spec"]["template"]["spec"].get("volumes") or []
    return frozenset(
        volume["name"].removeprefix("kong-plugin-")
        for volume in volumes
        if volume["name"].startswith("kong-plugin-") and (volume.get("configMap") or {}).get("name") in ours
    )


def _is_read_by(item: Document, ingress_class: str) -> bool:
    """Whether the controller of that class may read it; a KongPlugin may go without a class."""
    return annotations_of(item).get(INGRESS_CLASS, ingress_class) == ingress_class
