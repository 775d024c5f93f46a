"""Fills a cluster with pods, ConfigMaps and Secrets that have nothing to do with a gateway."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local.kubelet.kube_client import KubeClient

NAMESPACES = 10
WORKERS = 16
DATA_BYTES = 1000
"""The size of each ConfigMap and Secret."""


def create(kubeconfig: Path, count: int) -> None:
    """Creates `count` objects of each kind, spread over some namespaces. The pods run on the simulated nodes."""
    api = KubeClient(kubeconfig)
    names = [f"unrelated-{number}" for number in range(min(NAMESPACES, count))]
    for name in names:
        api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    nodes = [item["metadata"]["name"] for item in api.request("GET", "/api/v1/nodes")["items"]]

    def objects(number: int) -> None:
        path = f"/api/v1/namespaces/{names[number % len(names)]}"
        for plural, document in (
            ("configmaps", {"data": {"text": "x" * DATA_BYTES}}),
            ("secrets", {"stringData": {"text": "x" * DATA_BYTES}}),
            ("pods", pod(nodes[number % len(nodes)])),
        ):
            metadata = {"name": f"unrelated-{number}", "labels": {"app": "unrelated"}}
            api.request("POST", f"{path}/{plural}", {"metadata": metadata, **document})

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(objects, range(count)))


def pod(node: str) -> dict[str, Any]:
    """A pod that is bound to a node, so that the scheduler has nothing to do."""
    container = {"name": "app", "image": "registry.example/app:1", "env": [{"name": "LEVEL", "value": "info"}]}
    return {"spec": {"nodeName": node, "containers": [container], "tolerations": [{"operator": "Exists"}]}}
