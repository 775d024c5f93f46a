"""The agent in the cluster as its clients reach it: the Service, the pods behind it, and whether they answer."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from traceable_kong.cluster.agent_connections import port_behind
from traceable_kong.cluster.agent_objects import AGENT_SERVICE
from traceable_kong.cluster.api_objects import services
from traceable_kong.cluster.kubernetes_client import KubernetesClient
from traceable_kong.cluster.network_policies import pod_group
from traceable_kong.cluster.pods import is_ready, is_terminating, pods_behind
from traceable_kong.cluster.tme import TME_PORT
from traceable_kong.plan.model import DesiredState
from traceable_kong.verification.pod_observation import http_problem

Document = dict[str, Any]

PARALLEL_REQUESTS = 10


def agent_service_and_pods(api: KubernetesClient, namespace: str | None) -> tuple[Document | None, list[Document]]:
    """The agent's Service in a namespace and the pods behind it; None and [] if it does not exist."""
    service = api.get(f"{services(namespace)}/{AGENT_SERVICE}") if namespace else None
    if namespace is None or service is None:
        return None, []
    return service, [pod for pod in pods_behind(api, namespace, service) if not is_terminating(pod)]


def observe_agent(api: KubernetesClient, desired: DesiredState) -> tuple[Document | None, list[Document], str | None]:
    """The agent's Service, the pods behind it, and `agent_problems` where the gateway calls them."""
    service, pods = agent_service_and_pods(api, desired.agent_namespace)
    asked = desired.plugin.enabled and desired.agent_namespace and not desired.injection
    return service, pods, agent_problems(api, service, pods) if asked else None


def agent_problems(api: KubernetesClient, service: Document | None, pods: list[Document]) -> str | None:
    """Why a ready pod of the agent does not answer, None if each does: the Service sends requests to all of them."""
    ready = [pod for pod in pods if is_ready(pod)]
    if not ready:
        return "no pod of the agent is ready"
    problems = [
        f"{pod['metadata']['name']}: {problem}" for pod, problem in each_problem(api, service, ready) if problem
    ]
    return "; ".join(problems) or None


def each_problem(
    api: KubernetesClient, service: Document | None, pods: list[Document]
) -> list[tuple[Document, str | None]]:
    """Each pod, and `agent_problem` of it."""
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        return list(zip(pods, pool.map(lambda pod: agent_problem(api, service, pod), pods), strict=True))


def agent_problem(api: KubernetesClient, service: Document | None, pod: Document) -> str | None:
    """Why a pod of the agent does not answer on the target port of the Service's port 5442, None if it does."""
    port = port_behind(service, TME_PORT, pod_group(pod, {}))
    if port is None:
        return f"port {TME_PORT} of service {AGENT_SERVICE} leads to no port of the pod"
    return http_problem(api, pod, port)
