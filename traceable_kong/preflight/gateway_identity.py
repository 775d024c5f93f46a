"""Whether the config still names the gateway that this stack already has; another name would be a second gateway."""

from collections.abc import Iterator

from traceable_kong.cluster.agent_objects import AGENT_RELEASE
from traceable_kong.cluster.api_objects import NAMESPACES, name_of
from traceable_kong.cluster.helm_releases import owner_of, releases_in
from traceable_kong.cluster.ownership import GATEWAY_LABEL
from traceable_kong.common.commands import config_set
from traceable_kong.plan.kong_model import ExistingKong, ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.preflight.cached_reader import CachedReader, plugins_of
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.installation_record import recorded


def gateway_in_this_namespace_is_the_same(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The record in Kong's namespace names the same gateway; without a record, this stack has no other release there.

    This needs permissions in that namespace only, and works before the first `up` has ended.
    """
    data = recorded(reader, plan)
    if data.get("release") and isinstance(gateway.kong, ExistingKong):
        yield Finding(
            subject="traceable-kong:kong.install",
            problem=f"is false, but this stack installed Kong as the Helm release {data['release']}. That Kong would "
            "be removed, and all its routes with it",
            fix=f"Keep it: `{config_set('kong.install', 'true')}`. Or run `pulumi destroy` first",
        )
        return
    for key, current, wanted in (
        ("kong.release", data.get("release"), gateway.release_name),
        ("kong.deployment", data.get("deployment"), gateway.kong.deployment.name),
    ):
        if current and wanted and current != wanted:
            yield _second(key, wanted, current, gateway)
            return
    if gateway.release_name is None:
        return
    for name, release in releases_in(reader, gateway.kong.deployment.namespace).items():
        # Helm keeps the names of uninstalled releases.
        if name in (gateway.release_name, AGENT_RELEASE) or release.status == "uninstalled":
            continue
        secret = reader.get(release.secret)
        if secret is not None and owner_of(secret) == plan.owner:
            yield _second("kong.release", gateway.release_name, name, gateway)


def no_gateway_in_another_namespace(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """No other namespace has the label of this stack's gateway.

    A record would be no evidence: a tenant who may create ConfigMaps in one namespace could stop every update with one.
    """
    for namespace in sorted(gateway_namespaces(reader, plan.owner) - {gateway.kong.deployment.namespace}):
        yield _second("kong.namespace", gateway.kong.deployment.namespace, namespace, gateway)


def gateway_namespaces(reader: CachedReader, owner: str) -> set[str]:
    """The namespaces with the label of the stack's gateway."""
    found = reader.list(NAMESPACES, metadata_only=True, labelSelector=f"{GATEWAY_LABEL}={owner}")
    return set(map(name_of, found))


def ingress_class_changes_only_while_disabled(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """The ingress class changes only while the plugin is disabled: no pod reads it between the two classes."""
    current, wanted = recorded(reader, plan).get("ingressClass"), gateway.kong.ingress_class
    if not (gateway.installed and gateway.plugin.enabled and current) or current == wanted:
        return
    if any(item.get("disabled") is not True for item in plugins_of(reader, plan.owner)):
        yield Finding(
            subject="traceable-kong:kong.ingressClass",
            problem=f"is {wanted}, but this stack was deployed with {current}. New pods would not read the plugin of "
            f"class {current}, and would serve unprotected until the plugin follows",
            fix="Use two steps, so that you choose when the protection is off. First "
            f"`{config_set('kong.ingressClass', current)}`, `{config_set('enabled', 'false')}`, `pulumi up`. Then "
            f"`{config_set('kong.ingressClass', wanted)}`, `{config_set('enabled', 'true')}`, `pulumi up`",
        )


def _second(key: str, wanted: str, current: str, gateway: Gateway) -> Finding:
    return Finding(
        subject=f"traceable-kong:{key}",
        problem=f"is {wanted}, but this stack was deployed with {current}. The update would create a second gateway, "
        "while all clients still use the first one",
        fix=_way_back(key, current, gateway)
        + ". Or run `pulumi destroy` with the old value, then `pulumi up` with the new one. Or create a second stack",
    )


def _way_back(key: str, current: str, gateway: Gateway) -> str:
    if key == "kong.deployment" and isinstance(gateway.kong, ManagedKong):
        return f"Remove nameOverride and fullnameOverride from kongValues, so that the name is {current} again"
    return f"Set the old value: `{config_set(key, current)}`"
