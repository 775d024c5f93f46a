"""Checks whether one serving pod has the plugin's files and the TME; its Kong is checked in kong_checks.py. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from traceable_kong.cluster.pods import container_of
from traceable_kong.cluster.tme import TME_PORT, running_containers, tme_containers
from traceable_kong.common.image_references import ImageReference, image_name
from traceable_kong.plan.model import DesiredState
from traceable_kong.plugin.config_maps import LUA_PATH, PLUGINS_DIRECTORY
from traceable_kong.verification.fix_commands import restore_gateway
from traceable_kong.verification.kong_checks import kong_checks
from traceable_kong.verification.pod_observation import OwnInstance, PodObservation
from traceable_kong.verification.report import Check


def pod_checks(desired: DesiredState, pod: PodObservation, is_own: OwnInstance) -> Iterator[Check]:
    """Every check of a pod; `is_own` tells which instances of the plugin come from this stack."""
    yield _ready(pod)
    yield from _installed(desired, pod, is_own) if desired.installed else _uninstalled(desired, pod)


def _ready(pod: PodObservation) -> Check:
    """Always holds, because only serving pods are observed; it is the first column of the table."""
    return Check(pod=pod.name, name="ready", ok=True, expected="a pod that serves", found="it serves")


def _installed(desired: DesiredState, pod: PodObservation, is_own: OwnInstance) -> Iterator[Check]:
    yield _files(desired, pod)
    if desired.injection:
        yield _tme(desired, desired.injection.image, pod)
    yield from kong_checks(desired, pod, is_own)


def _files(desired: DesiredState, pod: PodObservation) -> Check:
    mounted = mounts(pod.document, desired.deployment.container)
    problems = [
        f"{path}: {mounted.get(path) or 'nothing'}" for path, name in desired.files.items() if mounted.get(path) != name
    ]
    problems += _hidden(desired, pod.document)
    return Check(
        pod=pod.name,
        name="files",
        ok=not problems,
        expected="the plugin's files, " + ", ".join(f"{path}: {name}" for path, name in desired.files.items()),
        found=", ".join(problems) or "these",
        fix=restore_gateway(desired),
        permanent=True,
    )


def unknown_lua_path(pods: list[PodObservation]) -> Iterator[str]:
    """Reasons why Kong may load other files than the mounted ones: it loads the first file of a name."""
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


def _hidden(desired: DesiredState, pod: Mapping[str, Any]) -> Iterator[str]:
    """Files that Kong cannot see although their ConfigMap is mounted: hidden by another mount, or left out."""
    volumes = {item["name"]: item for item in pod["spec"].get("volumes") or []}
    container = container_of(pod["spec"], desired.deployment.container) or {}
    for mount in container.get("volumeMounts") or []:
        path, volume = str(mount["mountPath"]).rstrip("/"), volumes.get(mount["name"], {})
        if path not in desired.files:
            if any(path.startswith(f"{own}/") for own in desired.files):
                yield f"{path}: hidden by the volume {mount['name']}"
        elif "subPath" in mount or "subPathExpr" in mount or "items" in volume.get("configMap", {}):
            yield f"{path}: only a part of the ConfigMap"


def mounts(pod: Mapping[str, Any], container: str) -> dict[str, str]:
    """`{mount path: ConfigMap}` of a container in a pod or a pod template, for ConfigMap volumes."""
    maps = {item["name"]: item["configMap"]["name"] for item in pod["spec"].get("volumes") or [] if "configMap" in item}
    found = container_of(pod["spec"], container) or {}
    return {
        str(item["mountPath"]).rstrip("/"): maps[item["name"]]
        for item in found.get("volumeMounts") or []
        if item["name"] in maps
    }


def _tme(desired: DesiredState, image: ImageReference, pod: PodObservation) -> Check:
    """What can be observed of the TME from outside: its container is ready, and its port answers.

    No public request that changes nothing is answered by the TME alone. So the declared ports must say that the answer
    is the TME's: no other container of the pod declares its port, and the TME's own declares it if it declares any.
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
        problem = f"no container with that image{_other_images(pod, image)}"
    elif not serving:
        problem = f"{names[0]} is not ready"
    else:
        problem = _other_listener(pod, serving) or pod.tme_problem or ""
    return Check(
        pod=pod.name,
        name="tme",
        ok=not problem,
        expected=f"a ready container with the TME's image {image}, and an answer on {TME_PORT}",
        found=problem or f"container {serving[0]} with that image is ready, and something answers HTTP on {TME_PORT}",
        permanent=not names,
        fix="the injector adds the TME when a pod is created: "
        f"`kubectl get pods --namespace {desired.agent_namespace}` shows whether the agent's pods are ready, then "
        f"`kubectl delete pod {pod.name} --namespace {desired.deployment.namespace}` has this pod created again",
    )


def _other_images(pod: PodObservation, image: ImageReference) -> str:
    """Containers that look like the TME and are not: an init container that has ended, or another registry's image."""
    spec = pod.document["spec"]
    ended = [item for item in spec.get("initContainers") or [] if image.admits(str(item.get("image", "")))]
    others = [item for item in running_containers(spec) if image_name(str(item.get("image", ""))) == image.name]
    return "".join(
        [
            *(f"; init container {item['name']} has it, and ends before the pod serves" for item in ended),
            *(f"; container {item['name']} has {item['image']}" for item in others),
        ]
    )


def _other_listener(pod: PodObservation, serving: list[str]) -> str:
    """Why the answer on the TME's port may come from another container, "" if nothing says so."""
    for container in running_containers(pod.document["spec"]):
        declared = {
            port.get("containerPort") for port in container.get("ports") or [] if port.get("protocol", "TCP") == "TCP"
        }
        if container["name"] not in serving and TME_PORT in declared:
            return f"container {container['name']} declares port {TME_PORT} too, so the answer may be its own"
        if container["name"] == serving[0] and declared and TME_PORT not in declared:
            return f"container {serving[0]} declares other ports than {TME_PORT}, so another container may answer"
    return ""


def _uninstalled(desired: DesiredState, pod: PodObservation) -> Iterator[Check]:
    """The pod has neither files nor plugin."""
    directory = f"{PLUGINS_DIRECTORY}/{desired.plugin.name}"
    mounted = [path for path in mounts(pod.document, desired.deployment.container) if path.startswith(directory)]
    yield Check(
        pod=pod.name,
        name="files",
        ok=not mounted,
        expected="no files of the plugin",
        found=", ".join(mounted) or "none",
        fix="`pulumi up`",
    )
    listed = not isinstance(pod.kong, str) and any(item.get("name") == desired.plugin.name for item in pod.kong.plugins)
    yield Check(
        pod=pod.name,
        name="plugin",
        ok=not listed and not isinstance(pod.kong, str),
        expected=f"a Kong without {desired.plugin.name}",
        found=pod.kong if isinstance(pod.kong, str) else f"Kong lists {desired.plugin.name}" if listed else "none",
        fix="`pulumi up`",
    )
