"""Whether the gateway is the one that this stack already has: another would be a second one beside it."""

from collections.abc import Iterator

from traceable_kong.cluster.ownership import GATEWAY_LABEL
from traceable_kong.common.commands import config_set
from traceable_kong.preflight.cached_reader import NAMESPACES, CachedReader, config_maps, name_of, plugins_of
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.helm_releases import owner_of, standing_in
from traceable_kong.preflight.intent import GatewayIntent, Intent


def gateway_here_is_the_one_that_stands(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """The stack's record in Kong's namespace names the same gateway; without one, no other release there is ours.

    With rights in that namespace, and before the first `up` has ended. Elsewhere is looked for beside this.
    """
    gateway = intent.gateway
    record = looks.get(f"{config_maps(gateway.namespace)}/{intent.record}") or {}
    data = record.get("data") or {}
    if data.get("release") and not gateway.ours:
        yield Finding(
            subject="traceable-kong:kong.install",
            wrong=f"is false, and this stack installed the release {data['release']} itself: that Kong would be "
            "removed, and with it what it serves",
            mend="`pulumi config set --path traceable-kong:kong.install true`; or `pulumi destroy` first",
        )
        return
    for key, stands, wanted in (
        ("kong.release", data.get("release"), gateway.release),
        ("kong.deployment", data.get("deployment"), gateway.deployment),
    ):
        if stands and wanted and stands != wanted:
            yield _second(key, wanted, stands, gateway)
            return
    if gateway.release is None:
        return
    for name, release in standing_in(looks, gateway.namespace).items():
        # A name that Helm keeps of a release that is gone is no gateway.
        if name in (gateway.release, intent.agent_release) or release.status == "uninstalled":
            continue
        secret = looks.get(release.secret)
        if secret is not None and owner_of(secret) == intent.owner:
            yield _second("kong.release", gateway.release, name, gateway)


def gateway_stands_nowhere_else(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """No other namespace carries the label that says that this stack's gateway is there.

    A record is no evidence: a tenant who may create ConfigMaps in one namespace could stop every run with one.
    """
    for namespace in sorted(gateway_namespaces(looks, intent.owner) - {intent.gateway.namespace}):
        yield _second("kong.namespace", intent.gateway.namespace, namespace, intent.gateway)


def gateway_namespaces(looks: CachedReader, owner: str) -> set[str]:
    """The namespaces that are labelled as those of the stack's gateway."""
    found = looks.list(NAMESPACES, metadata_only=True, labelSelector=f"{GATEWAY_LABEL}={owner}")
    return set(map(name_of, found))


def class_changes_while_disabled(looks: CachedReader, intent: Intent) -> Iterator[Finding]:
    """Another ingress class comes while the plugin that stands is disabled: no pod reads it between its two classes."""
    record = looks.get(f"{config_maps(intent.gateway.namespace)}/{intent.record}") or {}
    stands, wanted = (record.get("data") or {}).get("ingressClass"), intent.gateway.ingress_class
    if not (intent.installed and intent.enabled and stands) or stands == wanted:
        return
    if any(item.get("disabled") is not True for item in plugins_of(looks, intent.owner)):
        yield Finding(
            subject="traceable-kong:kong.ingressClass",
            wrong=f"is {wanted}, and this stack stands with {stands}: new pods would read no plugin of {stands}, and "
            "pass everything unprotected until the plugin follows",
            mend="two steps, and the gap is one that you choose. First "
            f"`{config_set('kong.ingressClass', stands)}`, `{config_set('enabled', 'false')}`, `pulumi up`; then "
            f"`{config_set('kong.ingressClass', wanted)}`, `{config_set('enabled', 'true')}`, `pulumi up`",
        )


def _second(key: str, wanted: str, stands: str, gateway: GatewayIntent) -> Finding:
    return Finding(
        subject=f"traceable-kong:{key}",
        wrong=f"is {wanted}, and this stack stands with {stands}: that would be a second gateway, without "
        "the first one's protection while it comes up and with all its clients still at the first",
        mend=_way_back(key, stands, gateway)
        + "; or `pulumi destroy` with the old value first, then `pulumi up` with the new one; or a second "
        "stack beside this one",
    )


def _way_back(key: str, stands: str, gateway: GatewayIntent) -> str:
    if key == "kong.deployment" and gateway.ours:
        return f"take out what names it in kongValues (nameOverride, fullnameOverride), so that it is {stands} again"
    return f"`{config_set(key, stands)}`"
