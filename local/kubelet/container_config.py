"""A container's environment and files, from the objects that its pod refers to.

Only volumes of ConfigMaps and Secrets have files here; other volumes are empty.
"""

import base64
from collections.abc import Callable
from typing import Any

from local.kubelet.kube_client import ApiError, KubeClient, Object
from local.kubelet.pod_roles import Container, Pod


class MissingSource(Exception):
    """An object that the container refers to does not exist yet. `reason` is the kubelet's waiting reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def environment(api: KubeClient, pod: Pod, container: Container) -> dict[str, str]:
    """Returns the container's variables. Raises MissingSource (CreateContainerConfigError)."""
    result: dict[str, str] = {}
    for source in container.get("envFrom", []):
        kind, reference = next((key, source[key]) for key in ("configMapRef", "secretRef") if key in source)
        data = _data(api, pod, kind.removesuffix("Ref"), reference, "CreateContainerConfigError")
        result |= {source.get("prefix", "") + key: value.decode(errors="replace") for key, value in data.items()}
    for variable in container.get("env", []):
        value = _value(api, pod, variable)
        if value is not None:
            result[variable["name"]] = _expanded(value, result)
    return result


def files(api: KubeClient, pod: Pod, container: Container) -> dict[str, bytes]:
    """Returns every file in the container's mounts by path. Raises MissingSource (ContainerCreating)."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    result: dict[str, bytes] = {}
    for mount in container.get("volumeMounts", []):
        content = _volume(api, pod, volumes.get(mount["name"], {}))
        where = mount["mountPath"].rstrip("/")
        if mount.get("subPath"):
            result |= {where: content[mount["subPath"]]} if mount["subPath"] in content else {}
        else:
            result |= {f"{where}/{path}": value for path, value in content.items()}
    return result


def _volume(api: KubeClient, pod: Pod, volume: Object) -> dict[str, bytes]:
    if "projected" in volume:
        sources = volume["projected"].get("sources", [])
        return {path: value for source in sources for path, value in _volume(api, pod, source).items()}
    for kind, name_key in (("configMap", "name"), ("secret", "secretName")):
        if kind in volume:
            source = {"name": volume[kind].get(name_key) or volume[kind].get("name"), **volume[kind]}
            data = _data(api, pod, kind, source, "ContainerCreating")
            items = source.get("items")
            return {item["path"]: data[item["key"]] for item in items if item["key"] in data} if items else data
    return {}


def _data(api: KubeClient, pod: Pod, kind: str, reference: Object, reason: str) -> dict[str, bytes]:
    plural = {"configMap": "configmaps", "secret": "secrets"}[kind]
    namespace = pod["metadata"]["namespace"]
    try:
        found = api.request("GET", f"/api/v1/namespaces/{namespace}/{plural}/{reference['name']}")
    except ApiError as problem:
        if problem.code != 404:
            raise
        if reference.get("optional"):
            return {}
        raise MissingSource(reason, f'{plural[:-1]} "{reference["name"]}" not found') from problem
    decode: Callable[[str], bytes] = base64.b64decode if kind == "secret" else str.encode
    data = {key: decode(value) for key, value in (found.get("data") or {}).items()}
    return data | {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}


def _value(api: KubeClient, pod: Pod, variable: Object) -> str | None:
    source = variable.get("valueFrom")
    if source is None:
        return str(variable.get("value", ""))
    if "fieldRef" in source:
        return _field(pod, source["fieldRef"]["fieldPath"])
    for kind in ("configMap", "secret"):
        reference = source.get(f"{kind}KeyRef")
        if reference:
            data = _data(api, pod, kind, reference, "CreateContainerConfigError")
            if reference["key"] in data:
                return data[reference["key"]].decode(errors="replace")
            if not reference.get("optional"):
                where = f"{kind} {pod['metadata']['namespace']}/{reference['name']}"
                raise MissingSource("CreateContainerConfigError", f"couldn't find key {reference['key']} in {where}")
    return None


def _field(pod: Pod, path: str) -> str:
    value: Any = pod
    for part in path.split("."):
        value = value.get(part, {}) if isinstance(value, dict) else {}
    return value if isinstance(value, str) else ""


def _expanded(value: str, known: dict[str, str]) -> str:
    for name, other in known.items():
        value = value.replace(f"$({name})", other)
    return value
