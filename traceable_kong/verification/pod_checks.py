"""Whether one serving pod has the files and the TME that are expected of it; its Kong is judging_kong.py. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.tme import TME_PORT, running_containers, tme_containers
from traceable_kong.common.commands import helm_restore
from traceable_kong.common.image_references import ImageReference, image_name
from traceable_kong.plugin.config_maps import LUA_PATH, PLUGINS_DIRECTORY
from traceable_kong.verification.desired_state import DesiredState
from traceable_kong.verification.kong_checks import REPAIR, kong_checks
from traceable_kong.verification.observation import Counts, PodObservation
from traceable_kong.verification.report import Check


def anew(expected: DesiredState) -> str:
    """Puts right what is inside a Helm release: a refresh looks at Helm's own notes, and not at its objects.

    Of a Kong that is not ours nobody knows whether it is in one, and a refresh does look at the Deployment.
    """
    if not expected.release:
        return f"{REPAIR}; with kong.filesFrom values its owner's upgrade before that (docs/existing-kong.md)"
    return f"{helm_restore(expected.release, expected.namespace)}, then {REPAIR}"


def pod_checks(expected: DesiredState, pod: PodObservation, counts: Counts) -> Iterator[Check]:
    """Every check of a pod; `counts` says which instances of the plugin are this stack's."""
    yield _ready(pod)
    yield from _installed(expected, pod, counts) if expected.installed else _left(expected, pod)


def _ready(pod: PodObservation) -> Check:
    """Only pods that serve are looked into, so this always holds; it is the first column of the table."""
    return Check(pod=pod.name, name="ready", ok=True, expected="a pod that serves", found="it does")


def _installed(expected: DesiredState, pod: PodObservation, counts: Counts) -> Iterator[Check]:
    yield _files(expected, pod)
    if expected.tme_image:
        yield _tme(expected, expected.tme_image, pod)
    yield from kong_checks(expected, pod, counts)


def _files(expected: DesiredState, pod: PodObservation) -> Check:
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


def unknown_lua_path(pods: list[PodObservation]) -> Iterator[str]:
    """Reasons why Kong may run other files than those that are mounted: it takes the first that it finds."""
    for pod in pods:
        if isinstance(pod.kong, str):
            continue
        if pod.kong.lua_path is None:
            yield f"which of the plugin's files the Kong in {pod.name} loads: it does not show its lua_package_path"
        elif pod.kong.lua_path.split(";")[0].strip() != LUA_PATH:
            yield (
                f"which of the plugin's files the Kong in {pod.name} loads: its lua_package_path is "
                f"{pod.kong.lua_path!r}, and files of the same names may be found before those at {LUA_PATH}. Put "
                f"{LUA_PATH} first, in the container's variable KONG_LUA_PACKAGE_PATH"
            )


def _hidden(expected: DesiredState, pod: Mapping[str, Any]) -> Iterator[str]:
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


def _tme(expected: DesiredState, image: ImageReference, pod: PodObservation) -> Check:
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
        mend="a pod gets the TME from the injector when it is created: "
        f"`kubectl get pods --namespace {expected.agent_namespace}` shows whether the agent's pods are ready, then "
        f"`kubectl delete pod {pod.name} --namespace {expected.namespace}` has this one created again",
    )


def _has_instead(pod: PodObservation, image: ImageReference) -> str:
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


def _other_listener(pod: PodObservation, serving: list[str]) -> str:
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


def _left(expected: DesiredState, pod: PodObservation) -> Iterator[Check]:
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
