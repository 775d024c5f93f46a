"""Handles what exists in the cluster but not in the stack's state, just before it would be created.

An interrupted first update left it, or another client created it. Helm refuses a release name that exists, so a release
that this stack left behind is removed, but never one that serves.
"""

from collections.abc import Callable

from traceable_kong.cluster.helm_releases import newest_revision, serving
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.hooks.hook_failed import HookFailed
from traceable_kong.preflight.finding import StuckRelease
from traceable_kong.preflight.repair import repair


def require_database_password(api: KubernetesClient, *, namespace: str, name: str) -> None:
    """Raises HookFailed if a managed database exists whose password is not in the stack's state.

    To be called before the Secret is created. The StatefulSet is created after the Secret: if both exist and the state
    has no Secret, the data belongs to another update and only opens with that one's password.
    """
    secret = f"/api/v1/namespaces/{namespace}/secrets/{name}"
    pods = f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}"
    if api.get(secret) is not None and api.get(pods) is not None:
        raise HookFailed(
            f"Database {namespace}/{name} exists, but its password is not in the stack's state. Continuing would write "
            f"a new password into Secret {name}, and the data only opens with the old one. Nothing was changed. "
            "Restore the state: `pulumi stack import --file BACKUP.json`; or, if the data may be deleted, `kubectl "
            f"delete statefulset,service,secret {name} --namespace {namespace}`, then run `pulumi up`."
        )


def remove_orphaned_release(
    api: KubernetesClient,
    *,
    namespace: str,
    release: str,
    owner: str,
    timeout_seconds: int,
    kubeconfig: str | None,
    context: str | None,
    say: Callable[[str], None],
) -> None:
    """Removes a release of the stack `owner` that has no ready pods, so that Helm can install it. Raises HookFailed.

    A release that serves has been imported (release_imports.py), unless its values have secrets. Removing one may take
    `timeout_seconds`.
    """
    newest = newest_revision(api, namespace, release)
    if newest is None:
        return
    subject = f"Helm release {release} in namespace {namespace}"
    found = newest.owner
    if found != owner:
        raise HookFailed(
            f"{subject} {f'belongs to the stack {found}' if found else 'is not managed by this stack'}, and this stack "
            "would install a release of that name. It was not changed. See where it comes from with `helm history "
            f"{release} --namespace {namespace}`; remove it or choose another name, then run `pulumi up`."
        )
    if pods := serving(api, namespace, release):
        raise HookFailed(
            f"{subject} belongs to this stack but is not in its state, and {', '.join(pods)} has ready pods. A release "
            "that serves is not uninstalled; it was not changed. Run `pulumi up` again, which imports it. If that "
            "stops here too, the release's values have secrets, which an import would write into the state as plain "
            "text: move them into a Secret that the values name, then run `pulumi up`; or, if it may be down for a "
            f"moment, `helm uninstall {release} --namespace {namespace} --wait`, then `pulumi up`."
        )
    stuck = StuckRelease(
        namespace=namespace,
        name=release,
        owner=owner,
        status=newest.status,
        revision=newest.revision,
        restore=None,
        timeout_seconds=timeout_seconds,
        may_run_seconds=timeout_seconds,
    )
    problem = repair(api, stuck, kubeconfig=kubeconfig, context=context, say=say)
    if problem is not None:
        raise HookFailed(f"{problem.subject} {problem.problem}. {problem.fix}")
