"""What the cluster and every Kong say, gathered side by side: one look at a gateway, without judging it."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from traceable_kong.cluster.agent_connections import port_behind
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.cluster.network_policies import pod_group
from traceable_kong.cluster.pods import is_leaving, is_ready, selector_text
from traceable_kong.cluster.tme import TME_PORT, tme_containers
from traceable_kong.kong_admin import admin_endpoint, entity_changes
from traceable_kong.kong_admin.admin_client import DEFAULT_WORKSPACE
from traceable_kong.kong_admin.admin_listen import AdminError, Unavailable, admin_listener
from traceable_kong.kong_admin.plugin_target import is_ours
from traceable_kong.verification import kong_observation
from traceable_kong.verification.desired_state import Database, DesiredState
from traceable_kong.verification.network_paths import NetworkLook, look_at_network
from traceable_kong.verification.object_reads import Seen, read
from traceable_kong.verification.surroundings import Surroundings, look_around

Document = dict[str, Any]

Counts = Callable[[Mapping[str, Any]], bool]
"""Whether an instance of the plugin, as Kong lists it, is this stack's."""

ROW_SECONDS = 5.0
"""How long Kong may take to show the row; the proof looks again."""

LOOKS_AT_PODS = 3
"""How often the pods are looked into in one look, while some of them go before they are asked."""

AT_ONCE = 10
"""Pods that are asked side by side."""

CLUSTER_PLUGINS = "/apis/configuration.konghq.com/v1/kongclusterplugins"

APPLY_FAILED = "KongConfigurationApplyFailed"
"""Reason of the event that the ingress controller writes when Kong refuses a configuration (KIC 3.4,
https://developer.konghq.com/kubernetes-ingress-controller/observability/events/)."""


@dataclass(frozen=True, kw_only=True)
class PodObservation:
    """One serving pod: its document, what its Kong said (or why it said nothing), and why its TME does not answer."""

    document: Document
    kong: kong_observation.KongAnswer | str
    tme: str | None

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One look at a gateway.

    `deployment` is None where it is not there. `current` is the pod-template-hash of its newest ReplicaSet, `pods` all
    its pods, `serving` those that are ready and not on their way out, looked into. `agent_pods` are those behind
    `agent_service`; `agent` says why not each ready one answers, None where it does. `events` are what the ingress
    controller reported about the plugin, the newest last: `{time, message}`. `plugin` is the KongClusterPlugin, None
    where it is not there. `row` is what stands in Kong's database instead, or why it could not be asked. `config_maps`
    are those with the plugin's files, by name; `around` is what makes pods get the TME.
    """

    deployment: Document | None
    current: str = ""
    pods: list[Document] = field(default_factory=list)
    serving: list[PodObservation] = field(default_factory=list)
    agent_service: Document | None = None
    agent_pods: list[Document] = field(default_factory=list)
    agent: str | None = None
    events: list[tuple[str, str]] = field(default_factory=list)
    plugin: Document | None = None
    config_maps: Mapping[str, Seen] = field(default_factory=dict)
    row: entity_changes.Found | str | None = None
    network: NetworkLook = field(default_factory=NetworkLook)
    around: Surroundings = field(default_factory=Surroundings)


def look(api: KubernetesClient, expected: DesiredState) -> Observation:
    """One look at the gateway. Raises kube.ApiError or kube.Unreachable."""
    namespace = expected.namespace
    deployment = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{expected.deployment}")
    if deployment is None:
        return Observation(deployment=None)
    selector = selector_text(deployment["spec"]["selector"])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        current = pool.submit(current_revision, api, deployment)
        plugin = pool.submit(plugin_and_events, api, expected.plugin_object)
        config_maps = pool.submit(_config_maps, api, expected)
        around = pool.submit(look_around, api, expected)
        row = pool.submit(_row, api, expected.database)
        known = _credentials(api, expected.database)
        network = pool.submit(look_at_network, api, expected)
        agent = pool.submit(agents_in, api, expected.agent_namespace)
        plugin_object, events = plugin.result()
        counts = counted(expected, plugin_object)
        pods = api.list(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
        for _ in range(LOOKS_AT_PODS):
            looks = list(pool.map(lambda pod: _look_into(api, expected, pod, known, counts), filter(_serves, pods)))
            if not any(isinstance(item.kong, str) or item.tme for item in looks):
                break
            # A pod that went meanwhile says nothing of the gateway; the one in its place does.
            before, pods = pods, api.list(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
            if _serving_names(pods) == _serving_names(before):
                break
        names = _serving_names(pods)
        looks = [item for item in looks if item.name in names]
        service, agents = agent.result()
        asked = expected.enabled and expected.agent_namespace and not expected.tme_image
        return Observation(
            deployment=deployment,
            current=current.result(),
            pods=pods,
            serving=looks,
            agent_service=service,
            agent_pods=agents,
            agent=_agents_silence(api, service, agents) if asked else None,
            events=events,
            plugin=plugin_object,
            config_maps=config_maps.result(),
            row=row.result(),
            network=network.result(),
            around=around.result(),
        )


def _serves(pod: Document) -> bool:
    return is_ready(pod) and not is_leaving(pod)


def _serving_names(pods: list[Document]) -> set[str]:
    return {pod["metadata"]["name"] for pod in pods if _serves(pod)}


def _config_maps(api: KubernetesClient, expected: DesiredState) -> dict[str, Seen]:
    where = f"/api/v1/namespaces/{expected.namespace}/configmaps"
    return {name: read(api, "ConfigMap", f"{where}/{name}") for name in dict.fromkeys(expected.files.values())}


def _row(api: KubernetesClient, database: Database | None) -> entity_changes.Found | str | None:
    """What stands in Kong's database, where there is one, or why it could not be asked."""
    if database is None:
        return None
    try:
        with admin_endpoint.client(api, database.access, deadline_seconds=ROW_SECONDS) as client:
            return entity_changes.look(client, database.place)
    except (AdminError, ApiError, Unreachable) as problem:
        return str(problem)


def _credentials(api: KubernetesClient, database: Database | None) -> admin_endpoint.Credentials | str:
    """What Kong is shown, or why that could not be read."""
    if database is None:
        return admin_endpoint.Credentials()
    try:
        return admin_endpoint.credentials(api, database.access)
    except (AdminError, ApiError, Unreachable) as problem:
        return str(problem)


def plugin_and_events(api: KubernetesClient, name: str) -> tuple[Document | None, list[tuple[str, str]]]:
    """A KongClusterPlugin, None where it does not exist, and what the ingress controllers reported about it.

    The events are `(time, message)`, the newest last. They outlive their object, so those of an earlier object of the
    same name are left out. The plugin has no namespace, and Kubernetes keeps the events of such objects in `default`;
    without the permission to list them there are none: they only say why. `name` is "" for a plugin entity in a
    database, which is no object. Raises kube.ApiError or kube.Unreachable.
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
    """The pod-template-hash of the Deployment's newest ReplicaSet, "" where there is none yet.

    Raises kube.ApiError or kube.Unreachable.
    """
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
            return str(item["metadata"]["labels"]["pod-template-hash"])
    return ""


def agents_in(api: KubernetesClient, namespace: str) -> tuple[Document | None, list[Document]]:
    """The Service of the agent in a namespace, and the pods behind it; None and [] where there is none."""
    service = api.get(f"/api/v1/namespaces/{namespace}/services/agent") if namespace else None
    if service is None:
        return None, []
    labels = service["spec"].get("selector")
    if not labels:
        return service, []  # Kubernetes then looks for no pods (documentation: Services without selectors).
    selector = selector_text({"matchLabels": labels})
    pods = api.list(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
    return service, [pod for pod in pods if not is_leaving(pod)]


def _agents_silence(api: KubernetesClient, service: Document | None, pods: list[Document]) -> str | None:
    """Why not every ready pod of the agent answers, None where each does: a silent one gets its share of requests."""
    ready = [pod for pod in pods if is_ready(pod)]
    if not ready:
        return "there is no ready pod of the agent"
    problems = [f"{pod['metadata']['name']}: {why}" for pod in ready if (why := agent_silence(api, service, pod))]
    return "; ".join(problems) or None


def agent_silence(api: KubernetesClient, service: Document | None, pod: Document) -> str | None:
    """Why a pod of the agent does not answer where its Service leads from the agent's port, None where it does."""
    port = port_behind(service, TME_PORT, pod_group(pod, {}))
    if port is None:
        return f"port {TME_PORT} of the Service agent leads to no port of the pod"
    return silence_of(api, pod, port)


def counted(expected: DesiredState, plugin: Document | None) -> Counts:
    """Which instances of the plugin a Kong lists because of this stack; others are their owners' business.

    `plugin` is the KongClusterPlugin; without it the controller has nothing to copy.
    """
    if expected.database is not None:
        place = expected.database.place
        return lambda item: is_ours(place, item)
    uid = str(plugin["metadata"]["uid"]) if plugin else ""
    return lambda item: kong_observation.made_from(item, uid)


def _look_into(
    api: KubernetesClient,
    expected: DesiredState,
    pod: Document,
    known: admin_endpoint.Credentials | str,
    counts: Counts,
) -> PodObservation:
    name = pod["metadata"]["name"]
    said: kong_observation.KongAnswer | str
    try:
        container = next(item for item in pod["spec"]["containers"] if item["name"] == expected.container)
        said = known if isinstance(known, str) else _ask(api, expected, name, container, known, counts)
    except StopIteration:
        said = f"the pod has no container {expected.container!r}"
    except (Unavailable, ApiError, Unreachable) as problem:
        said = str(problem)
    tme = None
    if expected.tme_image and tme_containers(pod["spec"], expected.tme_image):
        tme = silence_of(api, pod)
    return PodObservation(document=pod, kong=said, tme=tme)


def _ask(
    api: KubernetesClient,
    expected: DesiredState,
    pod: str,
    container: Document,
    known: admin_endpoint.Credentials,
    counts: Counts,
) -> kong_observation.KongAnswer:
    workspace = expected.database.access.workspace if expected.database else DEFAULT_WORKSPACE
    listener = admin_listener(container)
    return kong_observation.ask(
        api,
        expected.namespace,
        pod,
        listener,
        plugin=expected.plugin,
        counts=counts,
        credentials=known,
        workspace=workspace,
    )


def silence_of(api: KubernetesClient, pod: Mapping[str, Any], port: int = TME_PORT) -> str | None:
    """Why nothing in a pod answers on a port, None where something does."""
    try:
        kong_observation.answers_http(api, pod["metadata"]["namespace"], pod["metadata"]["name"], port)
    except (Unavailable, ApiError, Unreachable) as problem:
        return str(problem)
    return None
