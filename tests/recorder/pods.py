"""Properties of a pod object: whether it serves, which images it runs, which ConfigMaps it needs."""

from collections.abc import Iterator, Mapping
from typing import Any

Object = Mapping[str, Any]

ROOT_CA = "kube-root-ca.crt"
"""The control plane creates it in every namespace, some time after the namespace."""


def terminating(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def serving(pod: Object) -> bool:
    """Whether it is ready and not terminating."""
    conditions = pod.get("status", {}).get("conditions", [])
    return not terminating(pod) and any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def finished(pod: Object) -> bool:
    """Whether its containers exited for good, such as those of a completed Job."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def runs_image(pod: Object, repository: str) -> bool:
    """Whether one of its containers or sidecars runs an image of this registry and repository, in any version."""
    sidecars = [item for item in pod["spec"].get("initContainers", []) if item.get("restartPolicy") == "Always"]
    running = [*pod["spec"].get("containers", []), *sidecars]
    return any(repository_of(item.get("image", "")) == repository for item in running)


def repository_of(image: str) -> str:
    """`docker.io/traceableai/traceable-agent` of `docker.io/traceableai/traceable-agent:1.58.0@sha256:...`."""
    path = image.split("@")[0]
    return path.rsplit(":", 1)[0] if ":" in path.split("/")[-1] else path


def mounted_config_map(pod: Object, *, container: str, path: str) -> str | None:
    """The ConfigMap that a container mounts at this path, None without one."""
    volumes = {item["name"]: item for item in pod["spec"].get("volumes", [])}
    for item in pod["spec"]["containers"]:
        if item["name"] == container:
            for mount in item.get("volumeMounts", []):
                if mount["mountPath"].rstrip("/") == path and "configMap" in volumes.get(mount["name"], {}):
                    return str(volumes[mount["name"]]["configMap"]["name"])
    return None


def config_maps(pod: Object) -> set[str]:
    """The ConfigMaps without which it does not start: those of volumes and environments that are not optional."""
    return {str(item["name"]) for item in _references(pod) if not item.get("optional") and item["name"] != ROOT_CA}


def _references(pod: Object) -> Iterator[Object]:
    for volume in pod["spec"].get("volumes", []):
        for source in (volume, *volume.get("projected", {}).get("sources", [])):
            if "configMap" in source:
                yield source["configMap"]
    for container in _containers(pod):
        for source in container.get("envFrom", []):
            if "configMapRef" in source:
                yield source["configMapRef"]
        for variable in container.get("env", []):
            if "configMapKeyRef" in variable.get("valueFrom", {}):
                yield variable["valueFrom"]["configMapKeyRef"]


def _containers(pod: Object) -> Iterator[Object]:
    for group in ("containers", "initContainers", "ephemeralContainers"):
        yield from pod["spec"].get(group, [])
