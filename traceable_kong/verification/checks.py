"""Whether a look at a gateway shows what is expected of it. Pure: no cluster, no network, no Pulumi."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.pods import is_leaving, is_ready, selector_text
from traceable_kong.verification.desired_state import DesiredState
from traceable_kong.verification.file_checks import content_check, unknown_files
from traceable_kong.verification.injection_checks import surroundings_checks, surroundings_notes, unread
from traceable_kong.verification.kong_checks import overrides, unknown_defaults
from traceable_kong.verification.network_paths import unknown_paths
from traceable_kong.verification.observation import Observation, PodObservation, counted
from traceable_kong.verification.plugin_entity_checks import row_check, row_notes
from traceable_kong.verification.plugin_object_checks import object_check
from traceable_kong.verification.pod_checks import anew, pod_checks, unknown_lua_path
from traceable_kong.verification.report import DISABLED, NO_ROUTE_SELECTED, PROTECTED, REMOVED, Check, Report


def judge(expected: DesiredState, seen: Observation) -> Report:
    """The report of one look."""
    gateway = f"{expected.namespace}/{expected.deployment}"
    if seen.deployment is None:
        missing = Check(
            pod="",
            name="deployment",
            ok=False,
            expected=f"the Deployment {gateway}",
            found="there is none",
            mend=anew(expected),
        )
        return Report(gateway=gateway, checks=(missing,), state=_state(expected, unselected=False))
    checks = [_serving(expected, seen), _rollout(expected, seen), _plugin_as_written(expected, seen)]
    if expected.installed:
        checks.append(content_check(expected, seen.config_maps))
        checks += surroundings_checks(expected, seen.deployment, seen.around)
    counts = counted(expected, seen.plugin)
    for pod in seen.serving:
        checks += pod_checks(expected, pod, counts)
    if expected.installed and expected.enabled and expected.agent_namespace:
        checks.append(_agent(expected, seen))
    cause = seen.events[-1][1] if seen.events and not all(check.ok for check in checks) else ""
    return Report(
        gateway=gateway,
        checks=tuple(checks),
        not_checked=tuple(dict.fromkeys(_not_checked(expected, seen))),
        warnings=tuple(_warnings(expected, seen)),
        notes=tuple(_notes(expected, seen)),
        cause=cause,
        workspace=expected.database.place.workspace if expected.database else "",
        state=_state(expected, unselected=bool(without_route(expected, seen))),
        states={pod.name: _state(expected, unselected=_selects_nothing(expected, pod)) for pod in seen.serving},
    )


def _not_checked(expected: DesiredState, seen: Observation) -> Iterator[str]:
    if not expected.installed:
        return
    serving = [pod.document for pod in seen.serving]
    yield from unknown_files(expected, seen.config_maps, serving)
    yield from unknown_defaults(seen.serving)
    yield from unknown_paths(
        expected, seen.network, serving=serving, agents=seen.agent_pods, service=seen.agent_service
    )
    yield from unknown_lua_path(seen.serving)
    if seen.deployment:
        yield from unread(expected, seen.deployment, seen.around)


def _serving(expected: DesiredState, seen: Observation) -> Check:
    assert seen.deployment is not None
    selector = shlex.quote(selector_text(seen.deployment["spec"].get("selector") or {}))
    wanted = seen.deployment["spec"].get("replicas", 1)
    reasons = [*_replica_failure(seen.deployment), *(why for pod in seen.pods for why in waiting(pod))]
    found = f"{len(seen.serving)} of {wanted}" + (f" ({'; '.join(dict.fromkeys(reasons))})" if reasons else "")
    return Check(
        pod="",
        name="ready",
        ok=bool(seen.serving),
        expected="at least one pod that serves",
        found=found,
        mend=f"`kubectl describe pods --namespace {expected.namespace} --selector {selector}` shows why they are not "
        "ready; a gateway that is scaled to zero protects nothing",
    )


def _replica_failure(deployment: Mapping[str, Any]) -> list[str]:
    conditions = deployment.get("status", {}).get("conditions") or []
    return [str(item.get("message")) for item in conditions if item["type"] == "ReplicaFailure"]


def waiting(pod: Mapping[str, Any]) -> list[str]:
    """Why containers of a pod do not run, as the kubelet says it: `pod: container: reason: message`."""
    status = pod.get("status", {})
    result = []
    for item in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = (item.get("state") or {}).get("waiting") or {}
        if state.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            said = ": ".join(str(state[key]) for key in ("reason", "message") if state.get(key))
            result.append(f"{pod['metadata']['name']}: {item['name']}: {said}")
    return result


def _rollout(expected: DesiredState, seen: Observation) -> Check:
    """No pod of an older ReplicaSet is left, whether it serves or not: it holds older files and settings."""
    old = [
        pod["metadata"]["name"]
        for pod in seen.pods
        if not is_leaving(pod) and pod["metadata"].get("labels", {}).get("pod-template-hash") != seen.current
    ]
    return Check(
        pod="",
        name="rollout",
        ok=not old,
        expected="only pods of the newest revision",
        found=f"also {', '.join(sorted(old))}" if old else "only those",
        mend=f"`kubectl rollout status deployment {expected.deployment} --namespace {expected.namespace}` shows what "
        "blocks the rollout",
    )


def _plugin_as_written(expected: DesiredState, seen: Observation) -> Check:
    if expected.database is None:
        return object_check(expected, seen.plugin)
    schemas = (pod.kong.schema for pod in seen.serving if not isinstance(pod.kong, str))
    row = "nobody asked Kong for it" if seen.row is None else seen.row
    return row_check(expected, expected.database, row, next((schema for schema in schemas if schema), None))


def _agent(expected: DesiredState, seen: Observation) -> Check:
    ready = sum(1 for pod in seen.agent_pods if is_ready(pod))
    if expected.tme_image:
        found = f"{ready} of {len(seen.agent_pods)} ready" if seen.agent_pods else "the agent is gone: none is there"
        wanted, ok = "a ready pod of the agent", ready > 0
    else:
        wanted, found, ok = "an agent that answers on 5442", seen.agent or "it answers", seen.agent is None
    return Check(
        pod="",
        name="agent",
        ok=ok,
        expected=f"{wanted}, in {expected.agent_namespace}",
        found=found,
        mend=f"kubectl --namespace {expected.agent_namespace} describe pods",
    )


def _warnings(expected: DesiredState, seen: Observation) -> Iterator[str]:
    if not expected.installed:
        return
    if not expected.enabled:
        yield "the plugin is disabled (enabled: false): nothing is protected"
        found = [text for pod in seen.serving for text in overrides(expected, pod)]
        if found:
            yield (
                f"a narrower {expected.plugin} that is not this stack's is in force beside it: "
                f"{', '.join(dict.fromkeys(found))}"
            )
    elif idle := without_route(expected, seen):
        where = "" if len(idle) == len(seen.serving) else f" in {', '.join(idle)}"
        yield (
            f"0 routes protected{where}: scope is selected, and no route or service names the plugin "
            f"(konghq.com/plugins: {expected.plugin_object})"
        )


def _notes(expected: DesiredState, seen: Observation) -> Iterator[str]:
    serving = {pod.name for pod in seen.serving}
    idle = sorted(
        pod["metadata"]["name"] for pod in seen.pods if not is_leaving(pod) and pod["metadata"]["name"] not in serving
    )
    if idle:
        yield f"not serving, so not looked into: {', '.join(idle)}"
    if not expected.installed:
        return
    if expected.enabled and not expected.agent_namespace:
        yield (
            "not checked: whether the agent outside the cluster answers the gateway at "
            f"{expected.config.get('ext_cap_endpoint')}; Kong has exactly this address"
        )
    if seen.deployment:
        yield from surroundings_notes(expected, seen.deployment, seen.around)
    yield from row_notes(expected, seen.row)
    yield "not checked: the agent's own connection to the Traceable platform, which it shows nowhere"


def without_route(expected: DesiredState, seen: Observation) -> list[str]:
    """The pods whose Kong protects no route, where only selected routes are to be protected."""
    return sorted(pod.name for pod in seen.serving if _selects_nothing(expected, pod))


def _selects_nothing(expected: DesiredState, pod: PodObservation) -> bool:
    return not expected.everywhere and not isinstance(pod.kong, str) and not pod.kong.routed


def _state(expected: DesiredState, *, unselected: bool) -> str:
    """What is true while every check holds, in a word."""
    if not expected.installed:
        return REMOVED
    if not expected.enabled:
        return DISABLED
    return NO_ROUTE_SELECTED if unselected else PROTECTED
