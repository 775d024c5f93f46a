"""What exists in the cluster and is not in the state, directly before it would be created.

Asked just before something is created, and so only where the state has none: an interrupted first update left it, or it
is not managed by this stack. Helm would refuse a release's name for ever, so one that this stack left and that does not
serve is removed; what serves is never removed. Knows no Pulumi. An interrupted release is preflight's part.
"""

from collections.abc import Callable

from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.hooks.injection_dry_run import HookFailed
from traceable_kong.preflight.finding import StuckRelease
from traceable_kong.preflight.helm_releases import newest_of, serving
from traceable_kong.preflight.repair import mend


def refuse_new_password(api: KubernetesClient, *, namespace: str, name: str) -> None:
    """Returns where a database that is made here may get the password that this run chose. Raises Refused.

    Asked before its Secret is made. The StatefulSet comes after the Secret, so where both stand and the state knows no
    Secret, the data is of another run and opens with its password alone.
    """
    secret = f"/api/v1/namespaces/{namespace}/secrets/{name}"
    pods = f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}"
    if api.get(secret) is not None and api.get(pods) is not None:
        raise HookFailed(
            f"Database {namespace}/{name} exists, and its password is not in the stack's state. Its data opens with "
            f"the password in the Secret {name} alone, and continuing would write another one there. Nothing in it was "
            "changed. Restore the state: pulumi stack import --file BACKUP.json; or, if the data may be deleted: "
            f"kubectl delete statefulset,service,secret {name} --namespace {namespace}, then pulumi up."
        )


def make_room(
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
    """Returns when Helm can install `release` in `namespace`. Raises Refused.

    Only what carries the mark of the stack `owner` is removed, and only while none of its pods serves: one that serves
    was imported before (hooks/release_imports.py), unless it cannot be. A removal may take `timeout_seconds`.
    """
    newest = newest_of(api, namespace, release)
    if newest is None:
        return
    subject = f"Helm release {release} in namespace {namespace}"
    found = newest.owner
    if found != owner:
        raise HookFailed(
            f"{subject} carries {f'the mark of the stack {found}' if found else 'no mark of a stack'}, and this stack "
            f"was about to install a release of that name. It was not touched. `helm history {release} --namespace "
            f"{namespace}` shows where it comes from; then run pulumi up again."
        )
    if pods := serving(api, namespace, release):
        raise HookFailed(
            f"{subject} carries this stack's mark, is not in its state, and {', '.join(pods)} has ready pods: what "
            "serves is not uninstalled, and it was not touched. Run pulumi up again: it imports the release. If it "
            "stops here again, the values have secrets, which an import would write into the state as plain text. Move "
            "them into a Secret that the values name, then run pulumi up; or, if it may be down for a moment, `helm "
            f"uninstall {release} --namespace {namespace} --wait`, then pulumi up."
        )
    dead = StuckRelease(
        namespace=namespace,
        name=release,
        owner=owner,
        status=newest.status,
        revision=newest.revision,
        restore=None,
        timeout_seconds=timeout_seconds,
        may_run_seconds=timeout_seconds,
    )
    problem = mend(api, dead, kubeconfig=kubeconfig, context=context, say=say)
    if problem is not None:
        raise HookFailed(f"{problem.subject} {problem.wrong}. {problem.mend}")
