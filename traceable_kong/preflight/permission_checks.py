"""Whether the user has the permissions that an update needs, by SelfSubjectAccessReview.

They are checked up front, so that no update fails in the middle. An administrator is recognized with one request.
Permissions to read what preflight itself reads are not reviewed: the reads show what is missing.
"""

from collections.abc import Iterable, Iterator, Sequence

from traceable_kong.cluster.api_objects import labels_of
from traceable_kong.cluster.helm_releases import releases_in
from traceable_kong.cluster.kubernetes_client import ApiError
from traceable_kong.cluster.ownership import is_owned
from traceable_kong.cluster.tme import requests_tme
from traceable_kong.plan.model import Plan
from traceable_kong.preflight.cached_reader import CachedReader, plugins_of
from traceable_kong.preflight.finding import Finding
from traceable_kong.preflight.installation_record import record
from traceable_kong.preflight.permissions import EVERYWHERE, Permission, Purpose


def permissions_are_granted(reader: CachedReader, plan: Plan, *, purpose: Purpose) -> Iterator[Finding]:
    """The user has the permissions for a purpose. A preview only warns, because it changes nothing."""
    if purpose.if_pods_request_tme and not _pods_request_tme(reader, plan):
        return
    missing = [permission for permission in purpose.permissions if not _may(reader, permission)]
    if missing and purpose.unless and all(_may(reader, permission) for permission in purpose.unless):
        return
    needed, optional, why = missing, [], ""
    if missing and purpose.installs and _is_installed(reader, *purpose.installs):
        needed, optional = [], missing
        why = "Helm needs them only if this update changes the chart's roles. Then it would fail, and roll back"
    elif missing and _disables(reader, plan):
        needed = [permission for permission in missing if permission in purpose.to_disable]
        optional = [permission for permission in missing if permission not in needed]
        why = "Disabling does not need them, but other changes in this update would fail without them"
    if needed:
        yield Finding(
            subject=purpose.subject,
            problem=f"needs permissions that you do not have ({_text(needed)}). {purpose.meant}",
            fix=_fix(purpose, needed),
            severity="error_in_up",
        )
    if optional:
        yield Finding(
            subject=purpose.subject,
            problem=f"lacks permissions ({_text(optional)}). {why}",
            fix=_fix(purpose, optional),
            severity="warning",
        )


def _fix(purpose: Purpose, missing: Sequence[Permission]) -> str:
    return f"Ask an administrator for them: docs/security.md has the Roles. `{missing[0].command}` checks "
    f"one{purpose.instead}"


def _pods_request_tme(reader: CachedReader, plan: Plan) -> bool:
    """Whether the gateway's pods request the TME now or after this update (hooks/injection_dry_run.py)."""
    if plan.gateway is None:
        return False
    live = reader.get(plan.gateway.kong.deployment.path)
    return plan.gateway.wants_tme or (live is not None and requests_tme(live["spec"]["template"].get("metadata") or {}))


def _is_installed(reader: CachedReader, namespace: str, release: str) -> bool:
    """Whether Helm has completed an installation of the release."""
    history = releases_in(reader, namespace).get(release)
    return history is not None and "deployed" in history.revisions.values()


def _disables(reader: CachedReader, plan: Plan) -> bool:
    """Whether this update disables or uninstalls Traceable: this stack's plugin or record exists."""
    gateway = plan.gateway
    if gateway is None or (gateway.plugin.enabled and gateway.installed):
        return False
    found = record(reader, plan)
    if found is not None and is_owned(labels_of(found), plan.owner):
        return True
    return bool(gateway.plugin.custom_resource and plugins_of(reader, plan.owner))


def _text(permissions: Iterable[Permission]) -> str:
    verbs: dict[str, list[str]] = {}
    for permission in permissions:
        verbs.setdefault(permission.object, []).append(permission.verb)
    return "; ".join(f"{', '.join(of)} {what}" for what, of in verbs.items())


def _may(reader: CachedReader, permission: Permission) -> bool:
    return reader.allowed(
        permission.verb,
        permission.resource,
        group=permission.group,
        namespace=permission.namespace,
        subresource=permission.subresource,
    )


def is_administrator(reader: CachedReader) -> bool:
    """Whether the user may do anything in the cluster; False if that may not be asked."""
    try:
        return reader.allowed("*", "*", group="*", namespace=EVERYWHERE, subresource="")
    except ApiError as problem:
        if problem.status == 403:
            return False
        raise
