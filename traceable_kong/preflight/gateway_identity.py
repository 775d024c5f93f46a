"""Whether the config still names the gateway that this stack already has; another name would be a second gateway."""

from collections.abc import Iterator

from traceable_kong.cluster.ownership import GATEWAY_LABEL
from traceable_kong.common.commands import config_set
from traceable_kong.preflight.cached_reader import NAMESPACES, CachedReader, config_maps, name_of, plugins_of
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.helm_releases import owner_of, releases_in
from traceable_kong.preflight.intent import GatewayIntent, Intent


def gateway_in_this_namespace_is_the_same(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The record in Kong's namespace names the same gateway; without a record, this stack has no other release there.

    This needs permissions in that namespace only, and works before the first `up` has ended.
    """
    gateway = intent.gateway
    record = reader.get(f"{config_maps(gateway.namespace)}/{intent.record}") or {}
    data = record.get("data") or {}
    if data.get("release") and not gateway.ours:
        yield Finding(
            subject="traceable-kong:kong.install",
            problem=f"is false, but this stack installed Kong as the Helm release {data['release']}. That Kong would "
            "be removed, and all its routes with it",
            fix=f"Keep it: `{config_set('kong.install', 'true')}`. Or run `pulumi destroy` first",
        )
        return
    for key, current, wanted in (
        ("kong.release", data.get("release"), gateway.release),
        ("kong.deployment", data.get("deployment"), gateway.deployment),
    ):
        if current and wanted and current != wanted:
            yield _second(key, wanted, current, gateway)
            return
    if gateway.release is None:
        return
    for name, release in releases_in(reader, gateway.namespace).items():
        # Helm keeps the names of uninstalled releases.
        if name in (gateway.release, intent.agent_release) or release.status == "uninstalled":
            continue
        secret = reader.get(release.secret)
        if secret is not None and owner_of(secret) == intent.owner:
            yield _second("kong.release", gateway.release, name, gateway)


def no_gateway_in_another_namespace(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """No other namespace has the label of this stack's gateway.

    A record would be no evidence: a tenant who may create ConfigMaps in one namespace could stop every update with one.
    """
    for namespace in sorted(gateway_namespaces(reader, intent.owner) - {intent.gateway.namespace}):
        yield _second("kong.namespace", intent.gateway.namespace, namespace, intent.gateway)


def gateway_namespaces(reader: CachedReader, owner: str) -> set[str]:
    """The namespaces with the label of the stack's gateway."""
    found = reader.list(NAMESPACES, metadata_only=True, labelSelector=f"{GATEWAY_LABEL}={owner}")
    return set(map(name_of, found))


def ingress_class_changes_only_while_disabled(reader: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The ingress class changes only while the plugin is disabled: no pod reads it between the two classes."""
    record = reader.get(f"{config_maps(intent.gateway.namespace)}/{intent.record}") or {}
    current, wanted = (record.get("data") or {}).get("ingressClass"), intent.gateway.ingress_class
    if not (intent.installed and intent.enabled and current) or current == wanted:
        return
    if any(item.get("disabled") is not True for item in plugins_of(reader, intent.owner)):
        yield Finding(
            subject="traceable-kong:kong.ingressClass",
            problem=f"is {wanted}, but this stack was deployed with {current}. New pods would not read the plugin of "
            f"class {current}, and would serve unprotected until the plugin follows",
            fix="Use two steps, so that you choose when the protection is off. First "
            f"`{config_set('kong.ingressClass', current)}`, `{config_set('enabled', 'false')}`, `pulumi up`. Then "
            f"`{config_set('kong.ingressClass', wanted)}`, `{config_set('enabled', 'true')}`, `pulumi up`",
        )


def _second(key: str, wanted: str, current: str, gateway: GatewayIntent) -> Finding:
    return Finding(
        subject=f"traceable-kong:{key}",
        problem=f"is {wanted}, but this stack was deployed with {current}. The update would create a second gateway, "
        "while all clients still use the first one",
        fix=_way_back(key, current, gateway)
        + ". Or run `pulumi destroy` with the old value, then `pulumi up` with the new one. Or create a second stack",
    )


def _way_back(key: str, current: str, gateway: GatewayIntent) -> str:
    if key == "kong.deployment" and gateway.ours:
        return f"Remove nameOverride and fullnameOverride from kongValues, so that the name is {current} again"
    return f"Set the old value: `{config_set(key, current)}`"
