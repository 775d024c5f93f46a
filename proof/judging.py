"""Whether a look at a gateway shows what is expected of it. Pure: no cluster, no network, no Pulumi.

Leaves out the looking (proof/asking.py).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from proof.asking import Look, PodLook, containers, is_leaving, is_ready, runs_image
from proof.expectation import PLUGINS_DIRECTORY, Expectation
from proof.kong import KongAnswer
from proof.report import Check, Report

REPAIR = "pulumi refresh, then pulumi up"


def judge(expected: Expectation, seen: Look) -> Report:
    """The report of one look."""
    gateway = f"{expected.namespace}/{expected.deployment}"
    if seen.deployment is None:
        missing = Check(
            pod="",
            name="deployment",
            ok=False,
            expected=f"the Deployment {gateway}",
            found="there is none",
            mend=REPAIR,
        )
        return Report(gateway=gateway, checks=(missing,))
    checks = [_serving(seen), _rollout(seen)]
    for pod in seen.serving:
        checks += _installed(expected, pod) if expected.installed else _left(expected, pod)
    if expected.installed and expected.enabled:
        checks.append(_agent(expected, seen))
    cause = seen.events[-1][1] if seen.events and not all(check.ok for check in checks) else ""
    return Report(gateway=gateway, checks=tuple(checks), notes=tuple(_notes(expected, seen)), cause=cause)


def _serving(seen: Look) -> Check:
    assert seen.deployment is not None
    wanted = seen.deployment["spec"].get("replicas", 1)
    reasons = [*_replica_failure(seen.deployment), *(why for pod in seen.pods for why in waiting(pod))]
    found = f"{len(seen.serving)} of {wanted}" + (f" ({'; '.join(dict.fromkeys(reasons))})" if reasons else "")
    return Check(
        pod="",
        name="ready",
        ok=bool(seen.serving),
        expected="at least one pod that serves",
        found=found,
        mend="kubectl describe pods shows why they are not ready; a gateway that is scaled to zero protects nothing",
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


def _rollout(seen: Look) -> Check:
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
        mend="kubectl rollout status shows what holds the rollout up",
    )


def _installed(expected: Expectation, pod: PodLook) -> Iterator[Check]:
    yield _files(expected, pod)
    if expected.tme_image:
        yield _tme(expected, pod)
    yield from _kong(expected, pod)


def _files(expected: Expectation, pod: PodLook) -> Check:
    mounted = mounts(pod.document, expected.container)
    wrong = [
        f"{path}: {mounted.get(path) or 'nothing'}"
        for path, name in expected.files.items()
        if mounted.get(path) != name
    ]
    return Check(
        pod=pod.name,
        name="files",
        ok=not wrong,
        expected="the plugin's files, " + ", ".join(f"{path}: {name}" for path, name in expected.files.items()),
        found=", ".join(wrong) or "these",
        mend=REPAIR,
    )


def mounts(pod: Mapping[str, Any], container: str) -> dict[str, str]:
    """`{mount path: ConfigMap}` of a container of a pod, for what comes from ConfigMaps."""
    maps = {item["name"]: item["configMap"]["name"] for item in pod["spec"].get("volumes") or [] if "configMap" in item}
    found: Mapping[str, Any] = next((item for item in pod["spec"]["containers"] if item["name"] == container), {})
    return {
        str(item["mountPath"]).rstrip("/"): maps[item["name"]]
        for item in found.get("volumeMounts") or []
        if item["name"] in maps
    }


def _tme(expected: Expectation, pod: PodLook) -> Check:
    image = expected.tme_image or ""
    names = [item["name"] for item in containers(pod.document) if runs_image(item, image)]
    status = pod.document.get("status", {})
    ready = {
        item["name"]
        for item in [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]
        if item.get("ready")
    }
    if not names:
        found = "no container with that image"
    elif not ready.intersection(names):
        found = f"{names[0]} is not ready"
    else:
        found = pod.tme or "it answers"
    return Check(
        pod=pod.name,
        name="tme",
        ok=found == "it answers",
        expected=f"the TME ({image}), ready and answering on 5442",
        found=found,
        mend="the injector gives it when a pod is made: look at the agent's pods, then restart this pod",
    )


def _kong(expected: Expectation, pod: PodLook) -> Iterator[Check]:
    said = pod.kong
    if isinstance(said, str):
        yield Check(
            pod=pod.name,
            name="loaded",
            ok=False,
            expected="an answer of this Kong's Admin API",
            found=said,
            mend="the Admin API is asked by a port-forward into the pod; see docs/verify.md",
        )
        return
    version = said.available.get(expected.plugin)
    yield Check(
        pod=pod.name,
        name="loaded",
        ok=version == expected.plugin_version,
        expected=f"{expected.plugin} {expected.plugin_version} loaded by this Kong",
        found=f"{expected.plugin} {version}" if version else f"this Kong does not know {expected.plugin}",
        mend="its pod must be made anew from the newest revision: kubectl rollout restart",
    )
    yield _configured(expected, pod, said)
    if expected.everywhere:
        yield from _overrides(expected, pod, said)


def is_everywhere(instance: Mapping[str, Any]) -> bool:
    """True for an instance of a plugin that is bound to nothing narrower than the gateway."""
    return not any(instance.get(key) for key in ("route", "service", "consumer", "consumer_group"))


def differences(expected: Expectation, instance: Mapping[str, Any]) -> list[str]:
    """What of an instance is not as configured, in words."""
    config = instance.get("config") or {}
    wrong = [
        f"{key} is {config.get(key)!r} instead of {value!r}"
        for key, value in expected.config.items()
        if config.get(key) != value
    ]
    if bool(instance.get("enabled", True)) != expected.enabled:
        wrong.insert(0, "it is disabled" if expected.enabled else "it is enabled")
    return wrong


def _configured(expected: Expectation, pod: PodLook, said: KongAnswer) -> Check:
    instances = [item for item in said.plugins if item.get("name") == expected.plugin]
    everywhere = [item for item in instances if is_everywhere(item)]
    if expected.everywhere:
        instances = everywhere
    wrong = [text for item in instances for text in differences(expected, item)]
    if expected.everywhere and not everywhere:
        wrong = [f"Kong lists no {expected.plugin} for all routes{_class_hint(expected, pod)}"]
    elif everywhere and not expected.everywhere:
        wrong.append(f"Kong lists {expected.plugin} for all routes, and scope is selected")
    return Check(
        pod=pod.name,
        name="plugin",
        ok=not wrong,
        expected=f"{expected.plugin} {'enabled' if expected.enabled else 'disabled'}, "
        + ", ".join(f"{key} {value!r}" for key, value in expected.config.items()),
        found="; ".join(wrong) or "this",
        mend=f"kubectl describe kongclusterplugin {expected.plugin_object} shows what the ingress controller said; "
        f"where it was changed or removed by hand: {REPAIR}",
    )


def _class_hint(expected: Expectation, pod: PodLook) -> str:
    """The commonest reason, where the pod's own controller shows it."""
    for container in pod.document["spec"]["containers"]:
        for item in container.get("env") or []:
            if item["name"] == "CONTROLLER_INGRESS_CLASS" and item.get("value") != expected.ingress_class:
                return (
                    f": its controller reads the ingress class {item.get('value')!r}, and the plugin has "
                    f"{expected.ingress_class!r}"
                )
    return ""


def _overrides(expected: Expectation, pod: PodLook, said: KongAnswer) -> Iterator[Check]:
    narrower = [item for item in said.plugins if item.get("name") == expected.plugin and not is_everywhere(item)]
    wrong = [f"{_where(item)}: {'; '.join(texts)}" for item in narrower if (texts := differences(expected, item))]
    yield Check(
        pod=pod.name,
        name="override",
        ok=not wrong,
        expected=f"no {expected.plugin} on a single route, service or consumer that says something else",
        found=", ".join(wrong) or "none",
        mend="Kong uses the narrower one there: take the annotation or the KongPlugin away",
    )


def _where(instance: Mapping[str, Any]) -> str:
    for key in ("route", "service", "consumer", "consumer_group"):
        if instance.get(key):
            return f"{key} {instance[key].get('name') or instance[key].get('id')}"
    return "everywhere"


def _left(expected: Expectation, pod: PodLook) -> Iterator[Check]:
    """Nothing of Traceable is in a pod any more."""
    ours = f"{PLUGINS_DIRECTORY}/{expected.plugin}"
    mounted = [path for path in mounts(pod.document, expected.container) if path.startswith(ours)]
    yield Check(
        pod=pod.name,
        name="files",
        ok=not mounted,
        expected="no files of the plugin",
        found=", ".join(mounted) or "none",
        mend="pulumi up",
    )
    listed = not isinstance(pod.kong, str) and any(item.get("name") == expected.plugin for item in pod.kong.plugins)
    yield Check(
        pod=pod.name,
        name="plugin",
        ok=not listed and not isinstance(pod.kong, str),
        expected=f"a Kong without {expected.plugin}",
        found=pod.kong if isinstance(pod.kong, str) else f"Kong lists {expected.plugin}" if listed else "none",
        mend="pulumi up",
    )


def _agent(expected: Expectation, seen: Look) -> Check:
    ready = sum(1 for pod in seen.agent_pods if is_ready(pod))
    if expected.tme_image:
        wanted, found, ok = "a ready pod of the agent", f"{ready} of {len(seen.agent_pods)} ready", ready > 0
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


def _notes(expected: Expectation, seen: Look) -> Iterator[str]:
    if not expected.installed:
        return
    if not expected.enabled:
        yield "the plugin is disabled (enabled: false): nothing is protected"
    elif not expected.everywhere and not _routes(expected, seen):
        yield (
            f"0 routes protected: scope is selected, and no route or service names the plugin "
            f"(konghq.com/plugins: {expected.plugin_object})"
        )
    yield "not checked: the agent's own connection to the Traceable platform, which it shows nowhere"


def _routes(expected: Expectation, seen: Look) -> int:
    answers = [pod.kong for pod in seen.serving if isinstance(pod.kong, KongAnswer)]
    return max((sum(item.get("name") == expected.plugin for item in said.plugins) for said in answers), default=0)
