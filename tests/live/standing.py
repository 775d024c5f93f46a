"""What stands of one stack in the cluster at this moment. What happened until then is the recorder's."""

from typing import Any

from tests.live.pods import runs_image, terminating
from tests.live.stack import CommandFailed, LiveStack


def gateway_pods(stack: LiveStack) -> list[dict[str, Any]]:
    """The gateway's pods, without those that are on their way out."""
    selector = ",".join(f"{key}={value}" for key, value in stack.gateway.selector.items())
    pods = stack.objects("pods", "--namespace", stack.kong_namespace, "--selector", selector)
    return [pod for pod in pods if not terminating(pod)]


def containers(stack: LiveStack) -> set[str]:
    return {item["name"] for pod in gateway_pods(stack) for item in pod["spec"]["containers"]}


def tme_count(stack: LiveStack) -> int:
    """How many serving gateway pods run the TME image."""
    return sum(runs_image(pod, stack.gateway.tme_image) for pod in gateway_pods(stack))


def plugin(stack: LiveStack) -> dict[str, Any]:
    (found,) = plugins(stack)
    return found


def plugins(stack: LiveStack) -> list[dict[str, Any]]:
    """Every KongClusterPlugin of the stack's ingress class; none on a cluster that does not know the kind yet."""
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
    maps = stack.objects("configmaps", "--namespace", stack.kong_namespace)
    return next(dict(item["data"]) for item in maps if item["metadata"]["name"] == "traceable-installation")


def everything(stack: LiveStack) -> set[tuple[str, str, str]]:
    """Kind, namespace and name of every object of the cluster that could be ours, events and leases aside."""
    kinds = stack.kubectl("api-resources", "--verbs=list", "--output", "name").split()
    passing = ("events", "leases", "endpointslices", "endpoints", "podmetrics", "nodes", "apiservices")
    wanted = ",".join(kind for kind in kinds if not kind.startswith(passing))
    return {
        (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])
        for item in stack.objects(wanted, "--all-namespaces")
    }


def of_charts(item: tuple[str, str, str]) -> bool:
    """The charts' CRDs stay, by Helm's rule."""
    return item[0] == "CustomResourceDefinition" and item[2].endswith(".configuration.konghq.com")
