"""The platform's client for the API server."""

from pathlib import Path

import pytest
import yaml

from local import paths
from local.control_plane import kwok_cluster
from local.kubelet import kube_client
from local.kubelet.kube_client import ApiError, KubeClient


def kubeconfig(folder: Path, server: str) -> Path:
    file = folder / "kubeconfig"
    document = {
        "clusters": [{"cluster": {"server": server, "certificate-authority": "/pki/ca.crt"}}],
        "users": [{"user": {"client-certificate": "/pki/admin.crt", "client-key": "/pki/admin.key"}}],
    }
    file.write_text(yaml.safe_dump(document))
    return file


def test_server_and_credentials_are_those_of_the_kubeconfig(tmp_path: Path) -> None:
    client = KubeClient(kubeconfig(tmp_path, "https://127.0.0.1:6443"))
    assert (client.host, client.ca_file) == ("https://127.0.0.1:6443", "/pki/ca.crt")
    keywords = client._pool.connection_pool_kw
    assert (keywords["cert_file"], keywords["key_file"]) == ("/pki/admin.crt", "/pki/admin.key")
    assert keywords["ca_certs"] == "/pki/ca.crt"


def test_an_api_server_that_is_down_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="does not answer"):
        KubeClient(kubeconfig(tmp_path, "http://127.0.0.1:1")).request("GET", "/api/v1/nodes")


def test_a_cluster_without_kubeconfig_or_api_server_has_no_nodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "KUBECONFIG", tmp_path / "kubeconfig")
    assert kwok_cluster._ready_nodes() == 0
    kubeconfig(tmp_path, "http://127.0.0.1:1")
    assert kwok_cluster._ready_nodes() == 0


def test_only_nodes_that_are_ready_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def node(**status: str) -> dict[str, object]:
        return {"status": {"conditions": [{"type": kind, "status": value} for kind, value in status.items()]}}

    nodes = [node(MemoryPressure="False", Ready="True"), node(Ready="False"), node(Ready="Unknown"), {"status": {}}]
    monkeypatch.setattr(kwok_cluster, "_get", lambda path: {"items": nodes})
    assert kwok_cluster._ready_nodes() == 1


def test_an_error_is_a_status_or_plain_text() -> None:
    assert kube_client._message(b'{"kind": "Status", "message": "nodes \\"x\\" not found"}') == 'nodes "x" not found'
    assert kube_client._message(b"404 page not found\n") == "404 page not found"
