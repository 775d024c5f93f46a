"""Readiness of Deployments: observed, available, and with a ready newest ReplicaSet.

From the second revision on, the rollout must also be complete (`Progressing` with `NewReplicaSetAvailable`). This is
stricter than Helm's wait: no old pod is left. Based on provider/pkg/await/deployment.go, including its error messages.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.provider.kubernetes import object_metadata
from local.provider.kubernetes.await_pods import pod_problems
from local.provider.kubernetes.await_progress import Progress, conditions, get
from local.provider.kubernetes.provider_context import Context

_REVISION = "deployment.kubernetes.io/revision"


def waiter(
    context: Context, applied: Mapping[str, Any], before: Mapping[str, Any] | None, once: bool
) -> Callable[[], Progress]:
    """Observes the Deployment, its ReplicaSets, their pods and its volume claims."""
    namespace, name = object_metadata.namespace(applied), object_metadata.name(applied)
    path = context.kinds.find("apps/v1", "Deployment").path(namespace, name)
    sets = context.kinds.find("apps/v1", "ReplicaSet").path(namespace)
    pods = context.kinds.find("v1", "Pod").path(namespace)
    claims = context.kinds.find("v1", "PersistentVolumeClaim").path(namespace)

    def items(collection: str) -> list[dict[str, Any]]:
        return list(context.cluster.request("GET", collection).get("items") or [])

    def observe() -> Progress:
        live = context.cluster.request("GET", path)
        wanted = set(claim_names(live))
        bound = [each for each in items(claims) if object_metadata.name(each) in wanted] if wanted else []
        owned = [each for each in items(sets) if owned_by(each, live)]
        return assess(live, owned, lambda: items(pods), bound)

    return observe


def assess(
    live: Mapping[str, Any],
    replica_sets: Sequence[Mapping[str, Any]],
    pods: Callable[[], Sequence[Mapping[str, Any]]],
    claims: Sequence[Mapping[str, Any]],
) -> Progress:
    """Evaluates one observation of a Deployment. `pods` is called only if it is not ready."""
    revision = object_metadata.annotation(live, _REVISION)
    seen = get(live, "status", "observedGeneration") == object_metadata.metadata(live).get("generation")
    current = next((each for each in replica_sets if object_metadata.annotation(each, _REVISION) == revision), None)
    available = get(conditions(live).get("Available"), "status") == "True"
    progressing = conditions(live).get("Progressing", {})
    rolled_out = progressing.get("status") == "True" and progressing.get("reason") == "NewReplicaSetAvailable"
    wanted, ready = _replicas(current)
    set_ready = bool(revision) and current is not None and (ready or 0) >= wanted
    if set_ready and ready is None and wanted != 0:
        set_ready = False
    unbound = [object_metadata.name(each) for each in claims if get(each, "status", "phase") != "Bound"]
    first = revision == "1"
    done = seen and available and set_ready and not unbound and (first or rolled_out)
    if done:
        return Progress(live, done=True)
    problems = [
        f"[{each['reason']}] {each['message']}"
        for each in (conditions(live).get("Available"), conditions(live).get("Progressing"))
        if each and each.get("status") != "True" and each.get("reason") and each.get("message")
    ]
    if unbound:
        problems.append(f'Failed to bind PersistentVolumeClaim(s): "{",".join(unbound)}"')
    problems += _missing(available, set_ready, rolled_out, first=first)
    if current is not None:
        owned = [each for each in pods() if owned_by(each, current)]
        problems += [problem for each in owned for problem in pod_problems(each)]
    message = f"Waiting for app ReplicaSet to be available ({ready or 0}/{wanted} Pods available)"
    return Progress(live, message=message, problems=problems)


def _replicas(replica_set: Mapping[str, Any] | None) -> tuple[int, int | None]:
    wanted = get(replica_set, "spec", "replicas")
    ready = get(replica_set, "status", "readyReplicas")
    return (1 if wanted is None else int(wanted)), (None if ready is None else int(ready))


def _missing(available: bool, set_ready: bool, rolled_out: bool, *, first: bool) -> list[str]:
    if not available:
        return ["Minimum number of live Pods was not attained"]
    if first:
        return [] if set_ready else ["Minimum number of Pods to consider the application live was not attained"]
    if not rolled_out:
        return ["Minimum number of Pods to consider the application live was not attained"]
    if not set_ready:
        return ["Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live"]
    return []


def owned_by(document: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    """Returns True if the object has this owner."""
    owners = object_metadata.metadata(document).get("ownerReferences") or []
    return any(each.get("uid") == object_metadata.metadata(owner).get("uid") for each in owners)


def claim_names(live: Mapping[str, Any]) -> list[str]:
    """Returns the names of the volume claims that a Deployment's pods mount."""
    volumes = get(live, "spec", "template", "spec", "volumes") or []
    return [each["persistentVolumeClaim"]["claimName"] for each in volumes if each.get("persistentVolumeClaim")]
