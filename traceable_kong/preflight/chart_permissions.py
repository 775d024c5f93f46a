"""The permissions that Helm needs to install and change the two charts.

What the charts create is from their public templates (kong 3.4.1, https://github.com/Kong/charts; traceable-agent
1.58.0), with the user's values. Helm reads what it waits for.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from traceable_kong.plan.release_model import HelmRelease
from traceable_kong.preflight.permissions import (
    ADMISSION,
    CHANGE,
    EVERYWHERE,
    KONG,
    RBAC,
    READ,
    Permission,
    Purpose,
    allow,
    rollout,
)


def kong_chart(release: HelmRelease, *, database: bool, installed: bool) -> Iterator[Purpose]:
    """The objects of Kong's chart. With the ingress controller, some of them are cluster-wide."""
    kong, values = release.namespace, release.values
    controller = _is_on(values, "ingressController.enabled", default=True)
    cluster_wide: list[Permission] = []
    if controller:
        # Helm installs CRDs once, and never changes or deletes them.
        cluster_wide += allow((*READ, "create"), EVERYWHERE, "customresourcedefinitions", group="apiextensions.k8s.io")
        cluster_wide += _roles(READ, kong)
        cluster_wide += allow(CHANGE, EVERYWHERE, "ingressclasses", group="networking.k8s.io")
        cluster_wide += allow(CHANGE, EVERYWHERE, "validatingwebhookconfigurations", group=ADMISSION)
    optional: list[Permission] = []
    if _is_on(values, "autoscaling.enabled"):
        optional += allow(CHANGE, kong, "horizontalpodautoscalers", group="autoscaling")
    if _is_on(values, "podDisruptionBudget.enabled"):
        optional += allow(CHANGE, kong, "poddisruptionbudgets", group="policy")
    if any(_is_on(values, f"{part}.ingress.enabled") for part in ("admin", "manager", "portal", "portalapi", "proxy")):
        optional += allow(CHANGE, kong, "ingresses", group="networking.k8s.io")
    if database:
        optional += allow(CHANGE, kong, "jobs", group="batch")
    helm = _helm("Kong", kong, [*cluster_wide, *optional])
    # An uninstall changes Kong's pods: Helm updates its objects, and runs the chart's jobs.
    kept = () if installed else tuple(filter(_on_an_upgrade, helm.permissions))
    yield dataclasses.replace(helm, to_disable=kept)
    if controller:
        yield from _roles_of(
            "Kong",
            (kong, release.name),
            kong,
            # What the ingress controller's roles grant (kong 3.4.1, kong.kubernetesRBACRules).
            unless=(
                *allow(("list", "watch"), EVERYWHERE, "configmaps", "secrets", "services", "pods", "nodes"),
                *allow(("create", "patch"), EVERYWHERE, "events"),
                *allow(("list", "watch"), EVERYWHERE, "kongclusterplugins", "kongplugins", group=KONG),
                *allow(("list", "watch"), EVERYWHERE, "ingresses", "ingressclasses", group="networking.k8s.io"),
                *allow(("list", "watch"), EVERYWHERE, "customresourcedefinitions", group="apiextensions.k8s.io"),
                *allow(("create", "update", "delete"), kong, "leases", group="coordination.k8s.io"),
            ),
        )


def agent_chart(release: HelmRelease) -> Iterator[Purpose]:
    """The objects of the agent's chart. All of its switches but the DaemonSet are on by default."""
    there, values = release.namespace, release.values
    more = [*allow(CHANGE, there, "configmaps")]
    if _is_on(values, "runAsDaemonSet"):
        more += allow(CHANGE, there, "daemonsets", group="apps")
    elif _is_on(values, "autoscaling.enabled", default=True):
        more += allow(CHANGE, there, "horizontalpodautoscalers", group="autoscaling")
    roles = _is_on(values, "clusterRolesEnabled", default=True)
    if roles:
        more += _roles(READ, None)
    yield _helm("the agent", there, more)
    if roles:
        yield from _roles_of(
            "the agent",
            (there, release.name),
            None,
            unless=(
                *allow(("get",), EVERYWHERE, "namespaces"),
                *allow(("get", "update"), EVERYWHERE, "configmaps"),
            ),
        )
    if _is_on(values, "injectorEnabled", default=True):
        yield Purpose(
            subject="the agent's injector",
            meant="No gateway pod would get the TME",
            permissions=allow(CHANGE, EVERYWHERE, "mutatingwebhookconfigurations", group=ADMISSION),
        )


def _helm(what: str, namespace: str, more: Iterable[Permission]) -> Purpose:
    """What the usual objects of a chart need, what Helm waits for, and Helm's own Secrets, which it updates."""
    permissions = [
        *allow(CHANGE, namespace, "secrets", "services", "serviceaccounts"),
        *allow(("update",), namespace, "secrets"),
        *allow(CHANGE, namespace, "deployments", group="apps"),
        *rollout(namespace),
        *more,
    ]
    return Purpose(
        subject=f"the Helm release of {what}",
        meant=f"{what[0].upper()}{what[1:]} could not be installed or changed",
        permissions=tuple(dict.fromkeys(permissions)),
    )


def _on_an_upgrade(permission: Permission) -> bool:
    return permission.verb not in ("create", "delete") or permission.resource in ("secrets", "jobs")


def _roles(verbs: Iterable[str], namespace: str | None) -> tuple[Permission, ...]:
    """A chart's roles and bindings: cluster-wide ones, and those of a namespace where there is one."""
    inside = allow(verbs, namespace, "roles", "rolebindings", group=RBAC) if namespace else ()
    return (*allow(verbs, EVERYWHERE, "clusterroles", "clusterrolebindings", group=RBAC), *inside)


def _roles_of(
    what: str, release: tuple[str, str], namespace: str | None, *, unless: tuple[Permission, ...]
) -> Iterator[Purpose]:
    """To create a chart's roles and bind them. No user can grant permissions that they do not have.

    Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping.
    """
    yield Purpose(
        subject=f"the roles in the chart of {what}",
        meant="The chart's roles could not be created",
        permissions=_roles(("create", "patch", "delete"), namespace),
        installs=release,
    )
    yield Purpose(
        subject=f"the roles in the chart of {what}",
        meant="Kubernetes lets no user grant permissions that the user does not have, so the chart's roles could not "
        "be created",
        permissions=(
            *allow(("escalate", "bind"), EVERYWHERE, "clusterroles", group=RBAC),
            *(allow(("escalate", "bind"), namespace, "roles", group=RBAC) if namespace else ()),
        ),
        instead=". Or have all permissions granted that the chart's roles grant",
        unless=unless,
        installs=release,
    )


def _is_on(values: Mapping[str, Any], path: str, *, default: bool = False) -> bool:
    """Whether a chart value is on, with the chart's default."""
    found: Any = values
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return default
        found = found[key]
    return bool(found)
