"""One serving gateway pod: what its Kong reports, and whether its TME answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.cluster.pods import container_of
from traceable_kong.cluster.tme import TME_PORT, tme_containers
from traceable_kong.kong_admin import admin_endpoint
from traceable_kong.kong_admin.admin_client import DEFAULT_WORKSPACE
from traceable_kong.kong_admin.admin_connection import admin_listener
from traceable_kong.kong_admin.admin_errors import Unavailable
from traceable_kong.kong_admin.plugin_target import owns
from traceable_kong.plan.model import DesiredState
from traceable_kong.plan.plugin_model import Plugin
from traceable_kong.verification import kong_observation

Document = dict[str, Any]

OwnInstance = Callable[[Mapping[str, Any]], bool]
"""Whether an instance of the plugin, as Kong lists it, comes from this stack."""


@dataclass(frozen=True, kw_only=True)
class PodObservation:
    """A serving pod.

    `kong` is what its Kong reports, or why it does not answer; `tme_problem` is why its TME does not answer, None if it
    does or was not asked.
    """

    document: Document
    kong: kong_observation.KongAnswer | str
    tme_problem: str | None

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])


def own_instances(plugin: Plugin, found: Document | None) -> OwnInstance:
    """Tells which instances of the plugin a Kong lists because of this stack; others are not managed by it.

    `found` is the KongClusterPlugin; without it the controller has nothing to copy.
    """
    if plugin.entity:
        target = plugin.entity.target
        return lambda item: owns(target, item)
    uid = str(found["metadata"]["uid"]) if found else ""
    return lambda item: kong_observation.is_copy_of(item, uid)


def observe_pod(
    api: KubernetesClient,
    desired: DesiredState,
    pod: Document,
    credentials: admin_endpoint.Credentials | str,
    is_own: OwnInstance,
) -> PodObservation:
    """Asks the Kong and the TME of a pod. `credentials` is a text if they could not be read."""
    kong: kong_observation.KongAnswer | str
    container = container_of(pod["spec"], desired.deployment.container)
    try:
        if container is None:
            kong = f"the pod has no container {desired.deployment.container!r}"
        elif isinstance(credentials, str):
            kong = credentials
        else:
            kong = _ask(api, desired, pod, container, credentials, is_own)
    except (Unavailable, ApiError, Unreachable) as problem:
        kong = str(problem)
    asked = desired.injection and tme_containers(pod["spec"], desired.injection.image)
    return PodObservation(document=pod, kong=kong, tme_problem=http_problem(api, pod) if asked else None)


def _ask(
    api: KubernetesClient,
    desired: DesiredState,
    pod: Document,
    container: Document,
    credentials: admin_endpoint.Credentials,
    is_own: OwnInstance,
) -> kong_observation.KongAnswer:
    return kong_observation.observe_kong(
        api,
        desired.deployment.namespace,
        pod["metadata"]["name"],
        admin_listener(container),
        plugin=desired.plugin.name,
        is_own=is_own,
        credentials=credentials,
        workspace=desired.plugin.entity.target.workspace if desired.plugin.entity else DEFAULT_WORKSPACE,
    )


def http_problem(api: KubernetesClient, pod: Mapping[str, Any], port: int = TME_PORT) -> str | None:
    """Why nothing in a pod answers HTTP on a port, None if something does."""
    try:
        kong_observation.require_http(api, pod["metadata"]["namespace"], pod["metadata"]["name"], port)
    except (Unavailable, ApiError, Unreachable) as problem:
        return str(problem)
    return None
