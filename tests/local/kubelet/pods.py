"""Pods of the kong chart, and a fake Kubernetes client."""

from collections.abc import Mapping
from typing import Any

from local.kubelet.kube_client import ApiError

KONG = {"name": "proxy", "image": "kong:3.9", "env": [{"name": "KONG_DATABASE", "value": "off"}]}
CONTROLLER = {
    "name": "ingress-controller",
    "image": "kong/kubernetes-ingress-controller:3.4",
    "env": [{"name": "CONTROLLER_INGRESS_CLASS", "value": "kong"}],
}
TME = {"name": "tme", "image": "docker.io/traceableai/traceable-agent:1.58.0"}
OTHER = {"name": "other", "image": "example.com/other:1"}


def pod(*containers: Mapping[str, Any], owner: str = "ReplicaSet", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "ns", "uid": "u", "ownerReferences": [{"kind": owner}]},
        "spec": {"containers": [dict(item) for item in containers], **spec},
        "status": {},
    }


class FakeKubeClient:
    """Returns objects by path, or 404. Records what is written, without storing it."""

    def __init__(self, objects: Mapping[str, Any]) -> None:
        self.objects = objects
        self.written: list[tuple[str, str, Any]] = []

    def request(self, method: str, path: str, body: Any = None, content_type: str = "") -> Any:
        if method != "GET":
            self.written.append((method, path, body))
            return body
        if path not in self.objects:
            raise ApiError(404, "not found")
        return self.objects[path]
