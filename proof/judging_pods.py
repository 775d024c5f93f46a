"""Whether one serving pod is what is expected of it: its files, its TME, and what its Kong says. Pure.

Leaves out the gateway as a whole (proof/judging.py).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from admin.row import Place, is_ours
from images import ImageReference, image_name
from proof.asking import PodLook
from proof.expectation import PLUGINS_DIRECTORY, Expectation
from proof.kong import KongAnswer
from proof.report import Check
from tme_port import TME_PORT
from tme_rule import running_containers, tme_containers

REPAIR = "pulumi refresh, then pulumi up"


def anew(expected: Expectation) -> str:
    """Puts right what is inside a Helm release: a refresh looks at Helm's own notes, and not at its objects.

    Of a Kong that is not ours nobody knows whether it is in one, and a refresh does look at the Deployment.
    """
    if not expected.release:
        return f"{REPAIR}; with kong.filesFrom values its owner's upgrade before that (docs/existing-kong.md)"
    release = f"{expected.release} --namespace {expected.namespace}"
    return f"`helm history {release}`, `helm rollback {release}` to its newest revision, then {REPAIR}"


def pod_checks(expected: Expectation, pod: PodLook) -> Iterator[Check]:
    """Every check of a pod."""
    yield _ready(pod)
    yield from _installed(expected, pod) if expected.installed else _left(expected, pod)


def _ready(pod: PodLook) -> Check:
    """Only pods that serve are looked into, so this always holds; it is the first column of the table."""
    return Check(pod=pod.name, name="ready", ok=True, expected="a pod that serves", found="it does")


def _installed(expected: Expectation, pod: PodLook) -> Iterator[Check]:
    yield _files(expected, pod)
    if expected.tme_image:
        yield _tme(expected.tme_image, pod)
    yield from _kong(expected, pod)


def _files(expected: Expectation, pod: PodLook) -> Check:
    mounted = mounts(pod.document, expected.container)
    wrong = [
        f"{path}: {mounted.get(path) or 'nothing'}"
        for path, name in expected.files.items()
        if mounted.get(path) != name
    ]
    wrong += _hidden(expected, pod.document)
    return Check(
        pod=pod.name,
        name="files",
        ok=not wrong,
        expected="the plugin's files, " + ", ".join(f"{path}: {name}" for path, name in expected.files.items()),
        found=", ".join(wrong) or "these",
        mend=anew(expected),
        lasting=True,
    )


def _hidden(expected: Expectation, pod: Mapping[str, Any]) -> Iterator[str]:
    """Files that Kong does not see although their ConfigMap is mounted: another mount is over them, or a part is."""
    volumes = {item["name"]: item for item in pod["spec"].get("volumes") or []}
    containers = [item for item in pod["spec"]["containers"] if item["name"] == expected.container]
    for mount in [mount for item in containers for mount in item.get("volumeMounts") or []]:
        path, volume = str(mount["mountPath"]).rstrip("/"), volumes.get(mount["name"], {})
        if path not in expected.files:
            if any(path.startswith(f"{own}/") for own in expected.files):
                yield f"{path}: the volume {mount['name']} over it"
        elif "subPath" in mount or "subPathExpr" in mount or "items" in volume.get("configMap", {}):
            yield f"{path}: only a part of the ConfigMap"


def mounts(pod: Mapping[str, Any], container: str) -> dict[str, str]:
    """`{mount path: ConfigMap}` of a container of a pod, for what comes from ConfigMaps."""
    maps = {item["name"]: item["configMap"]["name"] for item in pod["spec"].get("volumes") or [] if "configMap" in item}
    found: Mapping[str, Any] = next((item for item in pod["spec"]["containers"] if item["name"] == container), {})
    return {
        str(item["mountPath"]).rstrip("/"): maps[item["name"]]
        for item in found.get("volumeMounts") or []
        if item["name"] in maps
    }


def _tme(image: ImageReference, pod: PodLook) -> Check:
    """What can be seen of the TME from outside: its container, and that something answers on its port.

    The TME has no public request that changes nothing and that only it answers, so who answers is told by who may: no
    other container of the pod declares the port, and the TME's declares it where it declares any.
    """
    names = [item["name"] for item in tme_containers(pod.document["spec"], image)]
    status = pod.document.get("status", {})
    ready = {
        item["name"]
        for item in [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]
        if item.get("ready")
    }
    serving = sorted(ready.intersection(names))
    if not names:
        wrong = f"no container with that image{_has_instead(pod, image)}"
    elif not serving:
        wrong = f"{names[0]} is not ready"
    else:
        wrong = _other_listener(pod, serving) or pod.tme or ""
    return Check(
        pod=pod.name,
        name="tme",
        ok=not wrong,
        expected=f"a ready container with the TME's image {image}, and an answer on {TME_PORT}",
        found=wrong or f"container {serving[0]} with that image is ready, and something answers HTTP on {TME_PORT}",
        lasting=not names,
        mend="the injector gives it when a pod is made: look at the agent's pods, then restart this pod",
    )


def _has_instead(pod: PodLook, image: ImageReference) -> str:
    """The images of the same name that are not the TME's: from elsewhere, or in a plain init container."""
    spec = pod.document["spec"]
    plain = [item for item in spec.get("initContainers") or [] if image.admits(str(item.get("image", "")))]
    others = [item for item in running_containers(spec) if image_name(str(item.get("image", ""))) == image.name]
    return "".join(
        [
            *(f"; init container {item['name']} has it, and ends before the pod serves" for item in plain),
            *(f"; container {item['name']} has {item['image']}" for item in others),
        ]
    )


def _other_listener(pod: PodLook, serving: list[str]) -> str:
    """Why an answer on the TME's port may be another container's, "" where nothing says so."""
    for container in running_containers(pod.document["spec"]):
        declared = {
            port.get("containerPort") for port in container.get("ports") or [] if port.get("protocol", "TCP") == "TCP"
        }
        if container["name"] not in serving and TME_PORT in declared:
            return f"container {container['name']} declares port {TME_PORT} too, so the answer may be its own"
        if container["name"] == serving[0] and declared and TME_PORT not in declared:
            return f"container {serving[0]} declares other ports than {TME_PORT}, so the answer may be another's"
    return ""


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
    if expected.database is not None and not expected.everywhere:
        # Other rows are for other routes, and their owners' business.
        return _one_row(expected, expected.database.place, pod, instances)
    everywhere = [item for item in instances if is_everywhere(item)]
    if expected.everywhere:
        instances = everywhere
    wrong = [text for item in instances for text in differences(expected, item)]
    if expected.everywhere and not everywhere:
        wrong = [f"Kong lists no {expected.plugin} for all routes{_class_hint(expected, pod)}"]
    elif everywhere and not expected.everywhere:
        wrong.append(f"Kong lists {expected.plugin} for all routes, and scope is selected")
    return _plugin_check(expected, pod, wrong)


def _plugin_check(expected: Expectation, pod: PodLook, wrong: list[str]) -> Check:
    return Check(
        pod=pod.name,
        name="plugin",
        ok=not wrong,
        expected=f"{expected.plugin} {'enabled' if expected.enabled else 'disabled'}, "
        + ", ".join(f"{key} {value!r}" for key, value in expected.config.items()),
        found="; ".join(wrong) or "this",
        mend=REPAIR
        if expected.database
        else f"kubectl describe kongclusterplugin {expected.plugin_object} shows what the ingress controller said; "
        f"where it was changed or removed by hand: {REPAIR}",
    )


def _one_row(expected: Expectation, place: Place, pod: PodLook, instances: list[dict[str, Any]]) -> Check:
    ours = [item for item in instances if is_ours(place, item)]
    wrong = [text for item in ours for text in differences(expected, item)]
    return _plugin_check(expected, pod, wrong if ours else [f"Kong lists no {expected.plugin} of this stack"])


def _class_hint(expected: Expectation, pod: PodLook) -> str:
    """The commonest reason, where the pod's own controller shows it; it has no say in rows."""
    if expected.database is not None:
        return ""
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
    wrong = [
        f"{_where(expected, item)}: {'; '.join(texts)}" for item in narrower if (texts := differences(expected, item))
    ]
    yield Check(
        pod=pod.name,
        name="override",
        ok=not wrong,
        expected=f"no {expected.plugin} on a single route, service or consumer that says something else",
        found=", ".join(wrong) or "none",
        mend="Kong uses the narrower one there: take "
        + ("that row away" if expected.database else "the annotation or the KongPlugin away"),
    )


def _where(expected: Expectation, instance: Mapping[str, Any]) -> str:
    row = f" (row {instance.get('id')})" if expected.database else ""
    for key in ("route", "service", "consumer", "consumer_group"):
        if instance.get(key):
            return f"{key} {instance[key].get('name') or instance[key].get('id')}{row}"
    return f"everywhere{row}"


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
