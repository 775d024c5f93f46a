"""Checks of the Helm releases that the stack manages: it owns them, and no interrupted operation left them stuck."""

from collections.abc import Iterator

from traceable_kong.cluster.api_objects import CLUSTER_ROLES, annotations_of
from traceable_kong.cluster.helm_releases import UNFINISHED_UPGRADES, Revisions, newest_revision, serving
from traceable_kong.common.commands import config_set
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plan.release_model import HelmRelease
from traceable_kong.preflight.cached_reader import CachedReader
from traceable_kong.preflight.finding import Finding, Found, StuckRelease
from traceable_kong.preflight.other_owners import belongs_to, removal, ways_out


def release_is_owned_and_usable(reader: CachedReader, plan: Plan, release: HelmRelease) -> Iterator[Found]:
    """The values of an existing release name this stack as its owner, and Helm can change the release.

    A release without an owner passes if it is to be adopted.
    """
    namespace, name, key = release.namespace, release.name, release.key
    newest = newest_revision(reader, namespace, name)
    if newest is None:
        return
    owner = newest.owner
    if owner is None and release.adopt:
        return
    if owner != plan.owner:
        instead = another_release(release, plan)
        if owner:
            yield Finding(
                subject=f"Helm release {name} in namespace {namespace}",
                problem=f"{belongs_to(plan, owner)}. Both would change it, and {removal(plan, owner)} would uninstall "
                "it",
                fix=ways_out(plan, owner, instead=instead),
            )
            return
        yield Finding(
            subject=f"Helm release {name} in namespace {namespace}",
            problem="exists, and its values do not name this stack as the owner. It was not installed by this stack, "
            "or was changed by hand since. `pulumi destroy` would uninstall it",
            fix=f"{instead}. If this stack installed it, find the revision with `helm history {name} --namespace "
            f"{namespace}`, and go back to it with `helm rollback`. If this stack is to manage it from now on, adopt "
            f"it: `{config_set(f'{key}.adopt', 'true')}` (docs/adopting-a-release.md)",
        )
        return
    stuck = stuck_release(release, newest.revisions, serving=bool(serving(reader, namespace, name)))
    if stuck:
        yield stuck


def another_release(release: HelmRelease, plan: Plan) -> str:
    """What to do where a release of this name belongs to others."""
    if release.key == "kong":
        return "Use another kong.namespace or kong.release"
    if plan.gateway is None:
        return "Use another agent.namespace"
    # A second agent with an injector would give its TME to the gateways of the first one too.
    return f"Use the agent that is there: `{config_set('agent.install', 'false')}`. Or use another agent.namespace"


def cluster_roles_are_free(reader: CachedReader, plan: Plan, gateway: Gateway) -> Iterator[Finding]:
    """No other release has the ClusterRole that Kong's chart creates, which has the Deployment's name (kong 3.4.1).

    Helm refuses an object of another release (https://helm.sh/docs/faq/changes_since_helm2/, ownership).
    """
    kong = gateway.kong
    if not isinstance(kong, ManagedKong):
        return
    noted = annotations_of(reader.get(f"{CLUSTER_ROLES}/{kong.deployment.name}") or {})
    name, namespace = noted.get("meta.helm.sh/release-name"), noted.get("meta.helm.sh/release-namespace")
    if name and (name, namespace) != (kong.release.name, kong.release.namespace):
        yield Finding(
            subject=f"clusterrole {kong.deployment.name}",
            problem=f"belongs to the Helm release {name} in namespace {namespace}, and Kong's chart creates one with "
            "the same name. Helm would refuse to install it",
            fix=f"Use another name: `{config_set('kong.release', 'NAME')}`",
        )


def stuck_release(release: HelmRelease, revisions: Revisions, *, serving: bool) -> StuckRelease | None:
    """How to repair a release; None if Helm can change it.

    - An interrupted upgrade is rolled back to the revision that was deployed before it.
    - An interrupted uninstallation is undone by a rollback to the last revision, because the stack's state still has
      the release. A later `destroy` uninstalls it again.
    - A release whose first installation was interrupted or failed, or that was uninstalled with its history kept, is
      uninstalled. If its pods are `serving`, it is completed by a rollback to its own revision.
    """
    newest = max(revisions)
    status = revisions[newest]
    usable = [number for number, was in revisions.items() if was == "deployed"] or [
        number for number, was in revisions.items() if was == "superseded"
    ]
    restore: int | None
    if status in UNFINISHED_UPGRADES:
        restore = max(usable, default=None)
    elif status == "uninstalling":
        restore = newest
    elif status in ("pending-install", "uninstalled") or (status == "failed" and not usable):
        restore = None
    else:
        return None
    if restore is None and serving:
        restore = newest
    return StuckRelease(release=release, status=status, revision=newest, restore=restore)
