"""Observes a gateway once: the objects in the cluster, and what every Kong and the agent answer. Changes nothing."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from traceable_kong.cluster.api_objects import CLUSTER_PLUGINS
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.cluster.pods import selector_text, serves
from traceable_kong.cluster.shared_reads import SharedReads
from traceable_kong.kong_admin import admin_endpoint, entity_changes
from traceable_kong.kong_admin.admin_errors import AdminError
from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.plugin_model import PluginEntity
from traceable_kong.verification.agent_observation import observe_agent
from traceable_kong.verification.injection_objects import InjectionObjects, observe_injection
from traceable_kong.verification.network_paths import NetworkObservation, observe_network
from traceable_kong.verification.object_reads import ObservedObject, read
from traceable_kong.verification.pod_observation import OwnInstance, PodObservation, observe_pod, own_instances

Document = dict[str, Any]

ENTITY_SECONDS = 5.0
"""How long Kong may take to show the plugin entity; the verification observes again."""

POD_ATTEMPTS = 3
"""How often the pods are asked in one observation while some of them are replaced."""

PARALLEL_REQUESTS = 10

NOT_READ = "Kong was not asked for it"

APPLY_FAILED = "KongConfigurationApplyFailed"
"""Reason of the event that the ingress controller writes when Kong refuses a configuration (KIC 3.4,
https://developer.konghq.com/kubernetes-ingress-controller/observability/events/)."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One observation of a gateway.

    `deployment` is None if it does not exist. `current` is the pod-template-hash of its newest ReplicaSet, `pods` are
    all its pods, `serving` those that are ready and not terminating. `agent_pods` are the pods behind `agent_service`;
    `agent_problem` says why a ready one does not answer, None if each does or none was asked. `plugin` is the
    KongClusterPlugin, None if it does not exist, and `events` are what the ingress controller reported about it as
    `(time, message)`, the newest last. `entity` is the plugin entity in Kong's database, or why it was not read.
    `config_maps` are those with the plugin's files, by name.
    """

    deployment: Document | None
    current: str = ""
    pods: list[Document] = field(default_factory=list)
    serving: list[PodObservation] = field(default_factory=list)
    agent_service: Document | None = None
    agent_pods: list[Document] = field(default_factory=list)
    agent_problem: str | None = None
    events: list[tuple[str, str]] = field(default_factory=list)
    plugin: Document | None = None
    config_maps: Mapping[str, ObservedObject] = field(default_factory=dict)
    entity: entity_changes.EntityState | str = NOT_READ
    network: NetworkObservation = field(default_factory=NetworkObservation)
    injection_objects: InjectionObjects = field(default_factory=InjectionObjects)


def observe(api: KubernetesClient, desired: DesiredState) -> Observation:
    """Reads only what the desired state is about, and each object once. Raises ApiError or Unreachable."""
    api = SharedReads.of(api)
    deployment = api.get(desired.deployment.path)
    if deployment is None:
        return Observation(deployment=None)
    resource = desired.plugin.custom_resource
    with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
        current = pool.submit(current_revision, api, deployment)
        plugin = pool.submit(plugin_and_events, api, resource.name if resource else None)
        config_maps = pool.submit(_config_maps, api, desired)
        injection_objects = pool.submit(observe_injection, api, desired)
        entity = pool.submit(_entity, api, desired.plugin.entity)
        network = pool.submit(observe_network, api, desired)
        agent = pool.submit(observe_agent, api, desired)
        plugin_object, events = plugin.result()
        pods, serving = _pods(api, desired, deployment, own_instances(desired.plugin, plugin_object), pool)
        service, agents, agent_problem = agent.result()
        return Observation(
            deployment=deployment,
            current=current.result(),
            pods=pods,
            serving=serving,
            agent_service=service,
            agent_pods=agents,
            agent_problem=agent_problem,
            events=events,
            plugin=plugin_object,
            config_maps=config_maps.result(),
            entity=entity.result(),
            network=network.result(),
            injection_objects=injection_objects.result(),
        )


def _pods(
    api: SharedReads, desired: DesiredState, deployment: Document, is_own: OwnInstance, pool: ThreadPoolExecutor
) -> tuple[list[Document], list[PodObservation]]:
    """All pods of the gateway, and those that serve."""
    path, selector = desired.deployment.pods_path, selector_text(deployment["spec"]["selector"])
    credentials = _credentials(api, desired.plugin.entity)
    pods = api.list(path, labelSelector=selector)
    for _ in range(POD_ATTEMPTS):
        observed = list(pool.map(lambda pod: observe_pod(api, desired, pod, credentials, is_own), filter(serves, pods)))
        if not any(isinstance(pod.kong, str) or pod.tme_problem for pod in observed):
            break
        # A pod that was deleted meanwhile says nothing about the gateway; the pod that replaced it does.
        before, pods = pods, api.client.list(path, labelSelector=selector)
        if _serving_names(pods) == _serving_names(before):
            break
    names = _serving_names(pods)
    return pods, [pod for pod in observed if pod.name in names]


def _serving_names(pods: list[Document]) -> set[str]:
    return {pod["metadata"]["name"] for pod in pods if serves(pod)}


def _config_maps(api: KubernetesClient, desired: DesiredState) -> dict[str, ObservedObject]:
    path = desired.deployment.config_maps_path
    return {name: read(api, "ConfigMap", f"{path}/{name}") for name in dict.fromkeys(desired.files.values())}


def _entity(api: KubernetesClient, entity: PluginEntity | None) -> entity_changes.EntityState | str:
    if entity is None:
        return NOT_READ
    try:
        with admin_endpoint.client(api, entity.endpoint, deadline_seconds=ENTITY_SECONDS) as client:
            return entity_changes.find_entity(client, entity.target)
    except (AdminError, ApiError, Unreachable) as problem:
        return str(problem)


def _credentials(api: KubernetesClient, entity: PluginEntity | None) -> admin_endpoint.Credentials | str:
    """What Kong's Admin API asks for, or why it could not be read."""
    if entity is None:
        return admin_endpoint.Credentials()
    try:
        return admin_endpoint.credentials(api, entity.endpoint)
    except (AdminError, ApiError, Unreachable) as problem:
        return str(problem)


def plugin_and_events(api: KubernetesClient, name: str | None) -> tuple[Document | None, list[tuple[str, str]]]:
    """A KongClusterPlugin, None if it does not exist, and what ingress controllers reported about it.

    The events are `(time, message)`, the newest last. Events outlive their object: those of an earlier object of the
    same name are not returned. Kubernetes keeps the events of an object without a namespace in `default`; they only
    explain, so a missing permission to list them is no error. `name` is None for a plugin entity in a database. Raises
    ApiError or Unreachable.
    """
    plugin = api.get(f"{CLUSTER_PLUGINS}/{name}") if name else None
    if plugin is None:
        return None, []
    uid = plugin["metadata"]["uid"]
    try:
        found = api.list(
            "/api/v1/namespaces/default/events", fieldSelector=f"involvedObject.uid={uid},reason={APPLY_FAILED}"
        )
    except ApiError as problem:
        if problem.status != 403:
            raise
        return plugin, []
    return plugin, sorted((_last_seen(event), str(event.get("message", ""))) for event in found)


def _last_seen(event: Mapping[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])


def current_revision(api: KubernetesClient, deployment: Mapping[str, Any]) -> str:
    """The pod-template-hash of the Deployment's newest ReplicaSet, "" if there is none yet.

    Raises ApiError or Unreachable.
    """
    found = newest_replica_set(api, deployment)
    return str(found["metadata"]["labels"]["pod-template-hash"]) if found else ""


def newest_replica_set(api: KubernetesClient, deployment: Mapping[str, Any]) -> Document | None:
    """The ReplicaSet of the Deployment's current revision. Raises ApiError or Unreachable."""
    metadata = deployment["metadata"]
    revision = (metadata.get("annotations") or {}).get("deployment.kubernetes.io/revision")
    replica_sets = api.list(
        f"/apis/apps/v1/namespaces/{metadata['namespace']}/replicasets",
        labelSelector=selector_text(deployment["spec"]["selector"]),
    )
    for item in replica_sets:
        owners = [owner["uid"] for owner in item["metadata"].get("ownerReferences") or []]
        annotations = item["metadata"].get("annotations") or {}
        if metadata["uid"] in owners and annotations.get("deployment.kubernetes.io/revision") == revision:
            return item
    return None
