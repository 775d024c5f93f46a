"""Handles what exists in the cluster but not in the stack's state, just before it would be created.

An interrupted first update left it, or another client created it. Helm refuses a release name that exists, so a release
that this stack left behind is removed, but never one that serves.
"""

from collections.abc import Callable

from traceable_kong.cluster.api_objects import secrets, stateful_set
from traceable_kong.cluster.helm_releases import newest_revision, serving
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.helm_values.kong_database import ManagedPostgres
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.plan.model import Plan
from traceable_kong.plan.release_model import HelmRelease
from traceable_kong.preflight import repair
from traceable_kong.preflight.finding import StuckRelease
from traceable_kong.preflight.other_owners import creator


def require_database_password(client: KubernetesClient, postgres: ManagedPostgres) -> None:
    """Raises HookFailed if a managed database exists whose password is not in the stack's state.

    To be called before the Secret is created. The StatefulSet is created after the Secret: if both exist and the state
    has no Secret, the data belongs to another update and only opens with that one's password.
    """
    name, namespace = postgres.name, postgres.namespace
    secret, database = f"{secrets(namespace)}/{name}", stateful_set(namespace, name)
    if client.get(secret) is not None and client.get(database) is not None:
        raise HookFailed(
            f"Database {namespace}/{name} exists, but its password is not in the stack's state. Continuing would write "
            f"a new password into Secret {name}, and the database only accepts the old one. Nothing was changed. "
            "Restore the state: `pulumi stack import --file BACKUP.json`; or, if the data may be deleted, `kubectl "
            f"delete statefulset,service,secret {name} --namespace {namespace}`, then run `pulumi up`."
        )


def remove_orphaned_release(
    cluster: ClusterTarget, release: HelmRelease, plan: Plan, *, say: Callable[[str], None]
) -> None:
    """Removes a release of the stack of `plan` that has no ready pods, so that Helm can install it. Raises HookFailed.

    A release that serves has been imported (release_imports.py), unless its values have secrets. `say` is told what
    Helm is waiting for.
    """
    client, name, namespace = cluster.api, release.name, release.namespace
    newest = newest_revision(client, namespace, name)
    if newest is None:
        return
    subject = f"Helm release {name} in namespace {namespace}"
    found = newest.owner
    if found != plan.owner:
        whose = f"belongs to {creator(plan, found)}" if found else "is not managed by this stack"
        raise HookFailed(
            f"{subject} {whose}, and this update would install a release of that name. It was not changed. See where "
            f"it comes from with `helm history {name} --namespace {namespace}`; remove it or choose another name, then "
            "run `pulumi up`."
        )
    if pods := serving(client, namespace, name):
        raise HookFailed(
            f"{subject} belongs to this stack but is not in its state, and {', '.join(pods)} has ready pods. A release "
            "that serves is not uninstalled; it was not changed. Run `pulumi up` again, which imports it. If that "
            "stops here too, the release's values have secrets, which an import would write into the state as plain "
            "text: move them into a Secret that the values name, then run `pulumi up`; or, if an outage is "
            f"acceptable, `helm uninstall {name} --namespace {namespace} --wait`, then `pulumi up`."
        )
    stuck = StuckRelease(release=release, status=newest.status, revision=newest.revision, restore=None)
    problem = repair.repair(
        client, stuck, owner=plan.owner, kubeconfig=cluster.kubeconfig, context=cluster.context, say=say
    )
    if problem is not None:
        raise HookFailed(f"{problem.subject} {problem.problem}. {problem.fix}")
