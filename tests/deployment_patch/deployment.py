"""One Deployment in memory, with an API that patches it like a server."""

import copy
from collections.abc import Callable
from typing import Any

from traceable_kong.cluster.kubernetes_client import ApiError, ApiResponse, Document, KubernetesClient

PATH = "/apis/apps/v1/namespaces/gw/deployments/ingress-kong"


def template(*env: tuple[str, str], **spec: Any) -> dict[str, Any]:
    """A pod template with Kong and its controller."""
    kong: dict[str, Any] = {"name": "proxy", "image": "kong:3.9"}
    if env:
        kong["env"] = [{"name": name, "value": value} for name, value in env]
    return {"metadata": {"labels": {"a": "kong"}}, "spec": {"containers": [{"name": "controller"}, kong], **spec}}


def kong_of(document: dict[str, Any]) -> dict[str, Any]:
    return next(item for item in document["spec"]["containers"] if item["name"] == "proxy")


def variable(document: dict[str, Any], name: str) -> Any:
    return next((item.get("value") for item in kong_of(document).get("env", []) if item["name"] == name), None)


class Cluster(KubernetesClient):
    """An API server with the Deployment `live` (None: it does not exist). `before_patch` runs before each patch.

    `rolls` False leaves the old pods running.
    """

    def __init__(self, pod_template: dict[str, Any]) -> None:
        self.server_url = "https://fake:6443"
        self.live: Document | None = {
            "metadata": {"name": "ingress-kong", "namespace": "gw", "generation": 1, "resourceVersion": "1"},
            "spec": {"replicas": 2, "template": pod_template},
        }
        self.rolls = True
        self.patches: list[list[dict[str, Any]]] = []
        self.before_patch: Callable[[], None] = lambda: None
        self._settle()

    @property
    def template(self) -> dict[str, Any]:
        assert self.live is not None
        return dict(self.live["spec"]["template"])

    def change(self, edit: Callable[[dict[str, Any]], object]) -> None:
        """Changes the template as another client."""
        assert self.live is not None
        edit(self.live["spec"]["template"])
        self._next()

    def get(self, path: str) -> ApiResponse | None:
        assert path == PATH, path
        return ApiResponse(copy.deepcopy(self.live)) if self.live is not None else None

    def request(self, method: str, path: str, *, query: Any = None, body: Any = None, **_: Any) -> ApiResponse:
        assert (method, path, query) == ("PATCH", PATH, {"fieldManager": "traceable-kong"})
        self.before_patch()
        assert self.live is not None
        self.patches.append(body)
        for operation in body:
            *parents, last = operation["path"].strip("/").split("/")
            holder = self.live
            for key in parents:
                holder = holder[key]
            if last == "resourceVersion":
                if operation["value"] != holder[last]:
                    raise ApiError(409, "Conflict", "the object has been modified")
            else:
                holder[last] = copy.deepcopy(operation["value"])
        self._next()
        return ApiResponse(copy.deepcopy(self.live))

    def _next(self) -> None:
        assert self.live is not None
        metadata = self.live["metadata"]
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
        metadata["generation"] += 1
        self._settle()

    def _settle(self) -> None:
        assert self.live is not None
        wanted = self.live["spec"]["replicas"]
        self.live["status"] = {
            "observedGeneration": self.live["metadata"]["generation"],
            "replicas": wanted if self.rolls else wanted + 1,
            "updatedReplicas": wanted if self.rolls else 1,
            "availableReplicas": wanted,
            "conditions": [] if self.rolls else [{"type": "ReplicaFailure", "status": "True", "message": "no quota"}],
        }
