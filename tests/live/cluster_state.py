"""The current state of a stack's objects in the cluster. What happened before is in a recording."""

from typing import Any

from tests.live.commands import CommandFailed
from tests.live.stack import LiveStack
from tests.recorder.pods import runs_image, terminating


def gateway_pods(stack: LiveStack) -> list[dict[str, Any]]:
    """The gateway's pods that are not terminating."""
    selector = ",".join(f"{key}={value}" for key, value in stack.gateway.selector.items())
    pods = stack.objects("pods", "--namespace", stack.kong_namespace, "--selector", selector)
    return [pod for pod in pods if not terminating(pod)]


def pod_names(stack: LiveStack) -> set[str]:
    return {pod["metadata"]["name"] for pod in gateway_pods(stack)}


def containers(stack: LiveStack) -> set[str]:
    return {item["name"] for pod in gateway_pods(stack) for item in pod["spec"]["containers"]}


def tme_count(stack: LiveStack) -> int:
    """The number of gateway pods that run the TME image."""
    return sum(runs_image(pod, stack.gateway.tme_image) for pod in gateway_pods(stack))


def plugin(stack: LiveStack) -> dict[str, Any]:
    (found,) = plugins(stack)
    return found


def plugins(stack: LiveStack) -> list[dict[str, Any]]:
    """Every KongClusterPlugin of the stack's ingress class; none in a cluster without that CRD."""
    try:
        found = stack.objects("kongclusterplugins")
    except CommandFailed as problem:
        if "the server doesn't have a resource type" not in str(problem):
            raise
        return []
    return [
        item
        for item in found
        if item["metadata"].get("annotations", {}).get("kubernetes.io/ingress.class") == stack.name
    ]


def record(stack: LiveStack) -> dict[str, str]:
    """The data of the record ConfigMap."""
    maps = stack.objects("configmaps", "--namespace", stack.kong_namespace)
    return next(dict(item["data"]) for item in maps if item["metadata"]["name"] == "traceable-installation")


def config_maps(stack: LiveStack) -> set[str]:
    """The names of the ConfigMaps in Kong's namespace."""
    return {item["metadata"]["name"] for item in stack.objects("configmaps", "--namespace", stack.kong_namespace)}


def mounted_files(stack: LiveStack) -> set[str]:
    """The ConfigMaps with plugin files, all of which every gateway pod must mount."""
    found = {name for name in config_maps(stack) if name.startswith("kong-plugin-")}
    for pod in gateway_pods(stack):
        assert found == {item["configMap"]["name"] for item in pod["spec"]["volumes"] if "configMap" in item}
    return found


def all_objects(stack: LiveStack) -> set[tuple[str, str, str]]:
    """Kind, namespace and name of every object of the cluster, without those that controllers write all the time."""
    kinds = stack.kubectl("api-resources", "--verbs=list", "--output", "name").split()
    volatile = ("events", "leases", "endpointslices", "endpoints", "podmetrics", "nodes", "apiservices")
    wanted = ",".join(kind for kind in kinds if not kind.startswith(volatile))
    return {
        (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])
        for item in stack.objects(wanted, "--all-namespaces")
    }


def created_since(stack: LiveStack, before: set[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """The objects that were not there `before`, without the charts' CRDs, which Helm never deletes."""
    return {item for item in all_objects(stack) - before if not _is_chart_crd(item)}


def _is_chart_crd(item: tuple[str, str, str]) -> bool:
    return item[0] == "CustomResourceDefinition" and item[2].endswith(".configuration.konghq.com")


def versions(stack: LiveStack) -> dict[str, tuple[str, object]]:
    """`{kind namespace/name: (uid, generation)}` of the stack's objects: equal where nothing was changed."""
    kinds = "deployments,replicasets,pods,configmaps,secrets,services,serviceaccounts,roles"
    found = [
        *stack.objects(kinds, "--namespace", stack.kong_namespace),
        *stack.objects(kinds, "--namespace", stack.agent_namespace),
        *stack.objects("namespaces,kongclusterplugins,validatingadmissionpolicies,clusterroles"),
    ]
    state = {}
    for item in found:
        metadata = item["metadata"]
        if stack.name in str(metadata):
            name = f"{item['kind']} {metadata.get('namespace', '')}/{metadata['name']}"
            state[name] = (metadata["uid"], metadata.get("generation"))
    return state
