"""PersistentVolumes for claims: a default StorageClass, a provisioner, and folders on this machine.

It works like a local-path provisioner (https://github.com/rancher/local-path-provisioner): a volume is created when the
first pod that uses it has a node (WaitForFirstConsumer), is bound to that node, and is deleted with its data when its
claim is deleted (reclaim policy Delete). Sizes and access modes are not enforced.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import urllib3

from local.kubelet.kube_client import ApiError, KubeClient, Object
from local.kubelet.pod_roles import Pod

CLASS = "local-path"
PROVISIONER = "traceable-kong/local-path"
CLAIMS, VOLUMES = "/api/v1/persistentvolumeclaims", "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
RETRY_SECONDS = 1

_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": PROVISIONER,
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "WaitForFirstConsumer",
}

log = logging.getLogger(__name__)


def volume_folder(api: KubeClient, pod: Pod, volume: str) -> Path | None:
    """Returns the folder of a pod's volume, or None if it is not a claim of this provisioner."""
    for item in pod["spec"].get("volumes", []):
        if item["name"] == volume and "persistentVolumeClaim" in item:
            namespace, claim = pod["metadata"]["namespace"], item["persistentVolumeClaim"]["claimName"]
            found = api.request("GET", f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claim}")
            name = found["spec"].get("volumeName")
            bound = api.request("GET", f"{VOLUMES}/{name}") if name else {}
            return _path(bound)
    return None


class VolumeProvisioner:
    """Creates and deletes volumes in `folder` until the process ends."""

    def __init__(self, api: KubeClient, folder: Path) -> None:
        self._api = api
        self._folder = folder

    def start(self) -> None:
        """Creates the StorageClass and starts watching."""
        _create_if_missing(self._api, CLASSES, _CLASS)
        for path, listed, changed in (
            (CLAIMS, lambda items: None, self._claim),
            (VOLUMES, self._remove_orphans, self._volume),
        ):
            threading.Thread(target=self._follow, args=(path, listed, changed), daemon=True).start()

    def _follow(self, path: str, listed: Callable[[list[Object]], None], changed: Callable[[Object], None]) -> None:
        while True:
            try:
                for kind, item in self._api.watch(path):
                    if kind == "LISTED":
                        listed(item["items"])
                    for one in item["items"] if kind == "LISTED" else [item] if kind != "DELETED" else []:
                        changed(one)
            except (ApiError, urllib3.exceptions.HTTPError, ValueError) as problem:
                log.warning("%s: %s", path, problem)
                time.sleep(RETRY_SECONDS)

    def _claim(self, claim: Object) -> None:
        annotations = claim["metadata"].get("annotations", {})
        node = annotations.get("volume.kubernetes.io/selected-node")
        is_managed = annotations.get("volume.kubernetes.io/storage-provisioner") == PROVISIONER
        if is_managed and node and claim["status"].get("phase") == "Pending" and not claim["spec"].get("volumeName"):
            _create_if_missing(self._api, VOLUMES, volume_for(claim, node, self._folder))

    def _volume(self, volume: Object) -> None:
        is_released = volume["status"].get("phase") == "Released"
        path = _path(volume)
        if is_released and path and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            shutil.rmtree(path, ignore_errors=True)
            try:
                self._api.request("DELETE", f"{VOLUMES}/{volume['metadata']['name']}")
            except ApiError as problem:
                if problem.code != 404:
                    raise

    def _remove_orphans(self, volumes: list[Object]) -> None:
        """Removes the folders that a previous cluster has left."""
        existing = {item["metadata"]["name"] for item in volumes}
        for path in self._folder.glob("*"):
            if path.name not in existing:
                shutil.rmtree(path, ignore_errors=True)


def volume_for(claim: Object, node: str, folder: Path) -> Object:
    """Returns the PersistentVolume of a claim, on the node of its first pod."""
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{metadata['uid']}"
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
            "storageClassName": spec["storageClassName"],
            "persistentVolumeReclaimPolicy": "Delete",
            "hostPath": {"path": str(folder / name), "type": "DirectoryOrCreate"},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{key: metadata[key] for key in ("namespace", "name", "uid")},
            },
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }


def _path(volume: Object) -> Path | None:
    """Returns the folder of a volume of this provisioner, or None for other volumes."""
    annotations = volume.get("metadata", {}).get("annotations", {})
    if annotations.get("pv.kubernetes.io/provisioned-by") != PROVISIONER:
        return None
    return Path(volume["spec"]["hostPath"]["path"])


def _create_if_missing(api: KubeClient, path: str, document: Object) -> None:
    try:
        api.request("POST", path, document)
    except ApiError as problem:
        if problem.code != 409:
            raise
