"""Volumes for claims: creation, path, and deletion."""

from pathlib import Path
from typing import Any

import pytest

from local.kubelet import volume_provisioner
from local.kubelet.volume_provisioner import PROVISIONER, VolumeProvisioner, volume_folder, volume_for
from tests.local.kubelet.pods import OTHER, FakeKubeClient, pod

CLAIM: dict[str, Any] = {
    "metadata": {
        "namespace": "ns",
        "name": "data-pg-0",
        "uid": "1",
        "annotations": {
            "volume.kubernetes.io/selected-node": "node-1",
            "volume.kubernetes.io/storage-provisioner": PROVISIONER,
        },
    },
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": volume_provisioner.CLASS,
    },
    "status": {"phase": "Pending"},
}


def written_for(claim: dict[str, Any], folder: Path) -> list[Any]:
    api = FakeKubeClient({})
    VolumeProvisioner(api, folder)._claim(claim)  # type: ignore[arg-type]
    return [body for method, path, body in api.written if (method, path) == ("POST", volume_provisioner.VOLUMES)]


def changed(**parts: Any) -> dict[str, Any]:
    return {name: {**value, **parts.get(name, {})} for name, value in CLAIM.items()}


def test_a_claim_gets_a_volume_on_the_node_of_its_pod(tmp_path: Path) -> None:
    (volume,) = written_for(CLAIM, tmp_path)
    assert volume["metadata"]["name"] == "pvc-1"
    assert volume["spec"]["claimRef"] == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": "ns",
        "name": "data-pg-0",
        "uid": "1",
    }
    assert volume["spec"]["capacity"] == {"storage": "1Gi"} and volume["spec"]["hostPath"]["path"] == str(
        tmp_path / "pvc-1"
    )
    (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["node-1"]


@pytest.mark.parametrize(
    "claim",
    [
        changed(metadata={"annotations": {"volume.kubernetes.io/storage-provisioner": PROVISIONER}}),
        changed(
            metadata={
                "annotations": {**CLAIM["metadata"]["annotations"], "volume.kubernetes.io/storage-provisioner": "x"}
            }
        ),
        changed(status={"phase": "Bound"}),
        changed(spec={"volumeName": "other"}),
    ],
    ids=["no pod yet", "another provisioner", "bound", "by name"],
)
def test_other_claims_are_ignored(claim: dict[str, Any], tmp_path: Path) -> None:
    assert written_for(claim, tmp_path) == []


def test_data_is_deleted_with_the_claim(tmp_path: Path) -> None:
    volume = volume_for(CLAIM, "node-1", tmp_path)
    (tmp_path / "pvc-1").mkdir()
    api = FakeKubeClient({})
    provisioner = VolumeProvisioner(api, tmp_path)  # type: ignore[arg-type]
    provisioner._volume({**volume, "status": {"phase": "Bound"}})
    assert (tmp_path / "pvc-1").exists() and not api.written
    kept = {
        **volume,
        "spec": {**volume["spec"], "persistentVolumeReclaimPolicy": "Retain"},
        "status": {"phase": "Released"},
    }
    provisioner._volume(kept)
    assert (tmp_path / "pvc-1").exists() and not api.written
    provisioner._volume({**volume, "status": {"phase": "Released"}})
    assert not (tmp_path / "pvc-1").exists()
    assert api.written == [("DELETE", f"{volume_provisioner.VOLUMES}/pvc-1", None)]


def test_folders_of_a_previous_cluster_are_removed(tmp_path: Path) -> None:
    for name in ("pvc-1", "pvc-2"):
        (tmp_path / name).mkdir()
    VolumeProvisioner(FakeKubeClient({}), tmp_path)._remove_orphans([volume_for(CLAIM, "n", tmp_path)])  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["pvc-1"]


def test_the_folder_of_a_pods_volume(tmp_path: Path) -> None:
    claim = {**CLAIM, "spec": {**CLAIM["spec"], "volumeName": "pvc-1"}}
    objects = {
        "/api/v1/namespaces/ns/persistentvolumeclaims/data-pg-0": claim,
        f"{volume_provisioner.VOLUMES}/pvc-1": volume_for(CLAIM, "n", tmp_path),
    }
    mounted = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-pg-0"}}, {"name": "tmp", "emptyDir": {}}]
    item = pod(OTHER, volumes=mounted)
    api: Any = FakeKubeClient(objects)
    assert volume_folder(api, item, "data") == tmp_path / "pvc-1"
    assert volume_folder(api, item, "tmp") is None
