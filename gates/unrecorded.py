"""What a state does not know although it stands: a Release that a killed run installed to the end, or a lost state.

Asked just before something is created, and so only where the state has none. A first installation that was killed
leaves a Release at its first revision and no record: Helm would refuse its name for ever, and nothing served yet, so it
is removed. Anything else serves, and a person decides. Knows no Pulumi.
Leaves out a Release that stopped half-way, which preflight mends.
"""

import kube
from gates.probe import Refused
from preflight import DeadRelease, mend

LOST = (
    "this stack's, and the stack's state does not know it: the state was lost, or the stack now lives in another "
    "backend. Going on would take everything over anew, and a `pulumi destroy` after that would take down what serves. "
    "Bring the state back (`pulumi stack import` of a backup)"
)


def refuse_where_it_stands(api: kube.Kube, *, record_path: str) -> None:
    """Returns where no installation of this stack was ever finished. Raises Refused.

    Asked before Kong's namespace is made, which is the first thing that is.
    """
    if api.get(record_path) is not None:
        raise Refused(f"The installation that {record_path.rsplit('/', 1)[-1]} records is {LOST}. Nothing was touched.")


def refuse_new_password(api: kube.Kube, *, namespace: str, name: str) -> None:
    """Returns where a database that is made here may get the password that this run chose. Raises Refused.

    Asked before its Secret is made. The StatefulSet comes after the Secret, so where both stand and the state knows no
    Secret, the data is of another run and opens with its password alone.
    """
    secret = f"/api/v1/namespaces/{namespace}/secrets/{name}"
    pods = f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}"
    if api.get(secret) is not None and api.get(pods) is not None:
        raise Refused(
            f"Kong's database {namespace}/{name} is {LOST}. Its data opens with the password in the Secret {name} "
            "alone, and this run would write another there. Where the data may go: `kubectl delete "
            f"statefulset,service,secret {name} --namespace {namespace}`, then pulumi up."
        )


def remove(
    api: kube.Kube,
    *,
    namespace: str,
    release: str,
    record_path: str,
    timeout_seconds: int,
    kubeconfig: str | None,
    context: str | None,
) -> None:
    """Returns when Helm can install `release`, which preflight has found to be this stack's. Raises Refused.

    A removal may take `timeout_seconds`.
    """
    secrets = api.list(f"/api/v1/namespaces/{namespace}/secrets", labelSelector=f"owner=helm,name={release}")
    if not secrets:
        return
    labels = max((item["metadata"]["labels"] for item in secrets), key=lambda item: int(item["version"]))
    revision, status = int(labels["version"]), str(labels["status"])
    if revision > 1 or api.get(record_path) is not None:
        raise Refused(
            f"The Helm release {namespace}/{release} is {LOST}. If it may be down for the moment: "
            f"`helm uninstall {release} --namespace {namespace} --wait`, then pulumi up."
        )
    dead = DeadRelease(
        namespace=namespace,
        name=release,
        status=status,
        revision=revision,
        restore=None,
        timeout_seconds=timeout_seconds,
    )
    problem = mend(api, dead, kubeconfig=kubeconfig, context=context)
    if problem is not None:
        raise Refused(f"{problem.subject} {problem.wrong}. {problem.mend}")
