"""Evaluates an observation of a gateway against its desired state. Pure: no cluster, no network, no Pulumi."""

from collections.abc import Iterator

from traceable_kong.cluster.pods import is_terminating
from traceable_kong.plan.model import DesiredState
from traceable_kong.verification.file_checks import content_check, unknown_files
from traceable_kong.verification.injection_checks import injection_checks, injection_notes, unread_objects
from traceable_kong.verification.kong_checks import overrides, unknown_defaults
from traceable_kong.verification.network_paths import unknown_paths
from traceable_kong.verification.observation import Observation
from traceable_kong.verification.plugin_checks import plugin_check
from traceable_kong.verification.plugin_entity_checks import entity_notes
from traceable_kong.verification.pod_checks import pod_checks, unknown_lua_path
from traceable_kong.verification.pod_observation import PodObservation, own_instances
from traceable_kong.verification.report import DISABLED, NO_ROUTE_SELECTED, PROTECTED, REMOVED, Report
from traceable_kong.verification.rollout_checks import agent_check, missing_deployment, rollout_check, serving_check


def evaluate(desired: DesiredState, observed: Observation) -> Report:
    """The report of one observation."""
    name = str(desired.deployment)
    if observed.deployment is None:
        return Report(name=name, checks=(missing_deployment(desired),), state=_state(desired, no_route_selected=False))
    checks = [
        serving_check(desired, observed.deployment, observed),
        rollout_check(desired, observed),
        plugin_check(desired, observed),
    ]
    if desired.installed:
        checks.append(content_check(desired, observed.config_maps))
        checks += injection_checks(desired, observed.deployment, observed.injection_objects)
    is_own = own_instances(desired.plugin, observed.plugin)
    for pod in observed.serving:
        checks += pod_checks(desired, pod, is_own)
    if desired.installed and desired.plugin.enabled and desired.agent_namespace:
        checks.append(agent_check(desired, observed))
    cause = observed.events[-1][1] if observed.events and not all(check.ok for check in checks) else ""
    return Report(
        name=name,
        checks=tuple(checks),
        not_checked=tuple(dict.fromkeys(_not_checked(desired, observed))),
        warnings=tuple(_warnings(desired, observed)),
        notes=tuple(_notes(desired, observed)),
        cause=cause,
        workspace=desired.plugin.entity.target.workspace if desired.plugin.entity else "",
        state=_state(desired, no_route_selected=bool(pods_without_route(desired, observed))),
        states={pod.name: _state(desired, no_route_selected=_has_no_route(desired, pod)) for pod in observed.serving},
    )


def pods_without_route(desired: DesiredState, observed: Observation) -> list[str]:
    """The pods whose Kong protects no route although selected routes should be protected."""
    return sorted(pod.name for pod in observed.serving if _has_no_route(desired, pod))


def _has_no_route(desired: DesiredState, pod: PodObservation) -> bool:
    return not desired.plugin.everywhere and not isinstance(pod.kong, str) and not pod.kong.routed


def _state(desired: DesiredState, *, no_route_selected: bool) -> str:
    """The verdict if every check holds."""
    if not desired.installed:
        return REMOVED
    if not desired.plugin.enabled:
        return DISABLED
    return NO_ROUTE_SELECTED if no_route_selected else PROTECTED


def _not_checked(desired: DesiredState, observed: Observation) -> Iterator[str]:
    if not desired.installed:
        return
    serving = [pod.document for pod in observed.serving]
    yield from unknown_files(desired, observed.config_maps, serving)
    yield from unknown_defaults(observed.serving)
    yield from unknown_paths(
        desired, observed.network, serving=serving, agents=observed.agent_pods, service=observed.agent_service
    )
    yield from unknown_lua_path(observed.serving)
    if observed.deployment:
        yield from unread_objects(desired, observed.deployment, observed.injection_objects)


def _warnings(desired: DesiredState, observed: Observation) -> Iterator[str]:
    if not desired.installed:
        return
    if not desired.plugin.enabled:
        yield "the plugin is disabled (enabled: false): nothing is protected"
        found = [text for pod in observed.serving for text in overrides(desired.plugin, pod)]
        if found:
            yield (
                f"a {desired.plugin.name} with a narrower scope, not managed by this stack, is in effect: "
                f"{', '.join(dict.fromkeys(found))}"
            )
    elif idle := pods_without_route(desired, observed):
        where = "" if len(idle) == len(observed.serving) else f" in {', '.join(idle)}"
        resource = desired.plugin.custom_resource
        named = f" names the plugin (konghq.com/plugins: {resource.name})" if resource else " has the plugin"
        yield f"0 routes protected{where}: scope is selected, and no route or service{named}"


def _notes(desired: DesiredState, observed: Observation) -> Iterator[str]:
    serving = {pod.name for pod in observed.serving}
    idle = sorted(
        pod["metadata"]["name"]
        for pod in observed.pods
        if not is_terminating(pod) and pod["metadata"]["name"] not in serving
    )
    if idle:
        yield f"not checked, because they do not serve: {', '.join(idle)}"
    if not desired.installed:
        return
    if desired.plugin.enabled and not desired.agent_namespace:
        yield (
            "not checked: whether the agent outside the cluster answers the gateway at "
            f"{desired.plugin.endpoint}; every Kong has exactly this address"
        )
    if observed.deployment:
        yield from injection_notes(desired, observed.deployment, observed.injection_objects)
    yield from entity_notes(desired, observed.entity)
    yield "not checked: the agent's own connection to the Traceable platform, which the agent does not show"
