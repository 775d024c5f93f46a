"""A Release that a killed run installed to the end, and no state knows: Helm would refuse its name for ever.

Asked just before a Release is created, and so only where the state has none. Where a record stands, the gateway was
once whole and serves: then nothing is removed, and a person decides. Knows no Pulumi.
Leaves out a Release that stopped half-way, which preflight mends.
"""

import kube
from gates.probe import Refused
from preflight import DeadRelease, mend


def remove(
    api: kube.Kube,
    *,
    namespace: str,
    release: str,
    record_path: str,
    kubeconfig: str | None,
    context: str | None,
) -> None:
    """Returns when Helm can install `release`, which preflight has found to be this stack's. Raises Refused."""
    secrets = api.list(f"/api/v1/namespaces/{namespace}/secrets", labelSelector=f"owner=helm,name={release}")
    if not secrets:
        return
    labels = max((item["metadata"]["labels"] for item in secrets), key=lambda item: int(item["version"]))
    revision, status = int(labels["version"]), str(labels["status"])
    if api.get(record_path) is not None:
        raise Refused(
            f"The Helm release {namespace}/{release} is this stack's and serves, and the stack's state does not know "
            "it: it would have to be removed and installed again. Nothing was touched. Bring the state back (`pulumi "
            "stack import` of a backup), or, if the gateway may go down for the moment, "
            f"`helm uninstall {release} --namespace {namespace} --wait`, then pulumi up."
        )
    dead = DeadRelease(namespace=namespace, name=release, status=status, revision=revision, restore=None)
    problem = mend(api, dead, kubeconfig=kubeconfig, context=context)
    if problem is not None:
        raise Refused(f"{problem.subject} {problem.wrong}. {problem.mend}")
