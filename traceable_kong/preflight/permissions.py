"""Whether the permissions that a run needs are there, asked for by SelfSubjectAccessReview, so that none is missing
in the middle. One question first: a user who may do anything is asked no further.

Permissions to read what preflight reads are not asked for: what is missing shows when it looks.
"""

from collections.abc import Iterable, Iterator, Sequence

from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.cluster.ownership import is_owned
from traceable_kong.cluster.tme import asks_for_tme
from traceable_kong.preflight.cached_reader import CachedReader, config_maps, deployment, labels_of, plugins_of
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.helm_releases import standing_in
from traceable_kong.preflight.intent import AloneIntent, Intent
from traceable_kong.preflight.permission_table import EVERYWHERE, Purpose, Right


def rights_for(looks: CachedReader, intent: Intent | AloneIntent, *, purpose: Purpose) -> Iterator[Finding]:
    """We may do what a purpose needs. A preview only says what is missing: it changes nothing itself."""
    if purpose.where_pods_ask and not _pods_ask(looks, intent):
        return
    missing = [right for right in purpose.rights if not _may(looks, right)]
    if missing and purpose.unless and all(_may(looks, right) for right in purpose.unless):
        return
    needed, spared, why = missing, [], ""
    if missing and purpose.installs and _is_installed(looks, *purpose.installs):
        needed, spared = [], missing
        why = "which Helm needs only where this update changes the chart's roles: it would fail there, and roll back"
    elif missing and _switches_off(looks, intent):
        needed = [right for right in missing if right in purpose.to_switch_off]
        spared = [right for right in missing if right not in needed]
        why = "which switching off does not need; what else this update changes would fail there"
    if needed:
        yield Finding(
            subject=purpose.subject,
            wrong=f"needs rights that are missing ({_text(needed)}): {purpose.meant}",
            mend=_mend(purpose, needed),
            only_warns=not intent.live_change,
        )
    if spared:
        yield Finding(
            subject=purpose.subject,
            wrong=f"lacks rights ({_text(spared)}), {why}",
            mend=_mend(purpose, spared),
            only_warns=True,
        )


def _mend(purpose: Purpose, missing: Sequence[Right]) -> str:
    return (
        f"have them granted to whoever runs this (`{missing[0].command}` says whether it is so; docs/security.md has "
        f"the Roles){purpose.instead}"
    )


def _pods_ask(looks: CachedReader, intent: Intent | AloneIntent) -> bool:
    """Whether a pod is tried before the gateway rolls: its pods ask for the TME now, or shall
    (hooks/injection_dry_run.py).
    """
    if isinstance(intent, AloneIntent):
        return False
    live = looks.get(deployment(intent.gateway.namespace, intent.gateway.deployment))
    return intent.sync or (live is not None and asks_for_tme(live["spec"]["template"].get("metadata") or {}))


def _is_installed(looks: CachedReader, namespace: str, release: str) -> bool:
    """Whether Helm has a revision that was installed to its end."""
    standing = standing_in(looks, namespace).get(release)
    return standing is not None and "deployed" in standing.revisions.values()


def _switches_off(looks: CachedReader, intent: Intent | AloneIntent) -> bool:
    """Whether Traceable is on, or was, and is to be off: the plugin of this stack exists, or its record."""
    if isinstance(intent, AloneIntent) or (intent.enabled and intent.installed):
        return False
    record = looks.get(f"{config_maps(intent.gateway.namespace)}/{intent.record}")
    if record is not None and is_owned(labels_of(record), intent.owner):
        return True
    return bool(intent.plugin.object_name and plugins_of(looks, intent.owner))


def _text(rights: Iterable[Right]) -> str:
    verbs: dict[str, list[str]] = {}
    for right in rights:
        verbs.setdefault(right.object, []).append(right.verb)
    return "; ".join(f"{', '.join(of)} {what}" for what, of in verbs.items())


def _may(looks: CachedReader, right: Right) -> bool:
    return looks.allowed(
        right.verb, right.resource, group=right.group, namespace=right.namespace, subresource=right.subresource
    )


def may_do_anything(looks: CachedReader) -> bool:
    """Whether every right is there, as a cluster's administrator has it; False where that may not be asked."""
    try:
        return looks.allowed("*", "*", group="*", namespace=EVERYWHERE, subresource="")
    except ApiError as problem:
        if problem.status == 403:
            return False
        raise
