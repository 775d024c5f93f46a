"""Volumes for claims: when one is made, where it lies, and when its data goes."""

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


def made(claim: dict[str, Any], folder: Path) -> list[Any]:
    api = FakeKubeClient({})
    VolumeProvisioner(api, folder)._claim(claim)  # type: ignore[arg-type]
    return [body for method, path, body in api.written if (method, path) == ("POST", volume_provisioner.VOLUMES)]


def changed(**parts: Any) -> dict[str, Any]:
    return {name: {**value, **parts.get(name, {})} for name, value in CLAIM.items()}


def test_a_claim_whose_pod_has_a_node_gets_a_volume_there(tmp_path: Path) -> None:
    (volume,) = made(CLAIM, tmp_path)
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
def test_other_claims_are_left_alone(claim: dict[str, Any], tmp_path: Path) -> None:
    assert made(claim, tmp_path) == []


def test_the_data_goes_with_the_claim(tmp_path: Path) -> None:
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


def test_what_another_cluster_left_goes(tmp_path: Path) -> None:
    for name in ("pvc-1", "pvc-2"):
        (tmp_path / name).mkdir()
    VolumeProvisioner(FakeKubeClient({}), tmp_path)._forget_others([volume_for(CLAIM, "n", tmp_path)])  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["pvc-1"]


def test_a_pod_finds_its_volumes_folder(tmp_path: Path) -> None:
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
