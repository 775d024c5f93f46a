"""A gateway created with kubectl alone, without Pulumi and Helm: for tests that break it on purpose."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import yaml

from local import charts
from local.platform import Platform
from tests.live.commands import run
from tests.recorder.promises import Gateway

LABELS = {"app": "gateway"}
CRD_FILE = charts.SOURCE / "kong" / "crds" / "plugins.yaml"


@dataclass
class KubectlGateway:
    """A Deployment `gateway` in a namespace of its own."""

    platform: Platform
    namespace: str = field(default_factory=lambda: f"recorder-{uuid.uuid4().hex[:6]}")

    @property
    def gateway(self) -> Gateway:
        return Gateway(
            namespace=self.namespace,
            deployment="gateway",
            selector=LABELS,
            ingress_class=self.namespace,
            policy_denies=True,
        )

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return run("kubectl", *arguments, environment=self.platform.env, stdin=stdin)

    def create(self) -> None:
        self.kubectl("create", "namespace", self.namespace)
        self.apply(*(item for item in yaml.safe_load_all(CRD_FILE.read_text()) if item))
        self.kubectl("wait", "--for=condition=Established", "crd/kongclusterplugins.configuration.konghq.com")

    def remove(self) -> None:
        self.kubectl("delete", "kongclusterplugin", self.namespace, "--ignore-not-found")
        self.kubectl("delete", "namespace", self.namespace, "--wait=false")

    def apply(self, *objects: dict[str, Any]) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--server-side", "--filename", "-", stdin=json.dumps(listed))

    def delete(self, kind: str, name: str, *options: str) -> None:
        self.kubectl("delete", kind, name, "--namespace", self.namespace, *options)

    def roll_out(self, *, replicas: int = 1, files: str = "files-a", tme: bool = True) -> None:
        """Applies the gateway with these pods and waits until all of them are ready and the old ones are gone."""
        self.apply(self.config_map(files), self.deployment(replicas, self.pod(files=files, tme=tme)))
        self.kubectl("rollout", "status", "deployment/gateway", "--namespace", self.namespace, "--timeout=60s")

    def config_map(self, name: str) -> dict[str, Any]:
        return self._object("v1", "ConfigMap", name, data={"handler.lua": name})

    def deployment(self, replicas: int, pod: dict[str, Any]) -> dict[str, Any]:
        metadata = {key: value for key, value in pod["metadata"].items() if key in ("labels", "annotations")}
        template = {"metadata": metadata, "spec": pod["spec"]}
        spec = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template}
        return self._object("apps/v1", "Deployment", "gateway", spec=spec)

    def pod(
        self, name: str = "by-hand", *, files: str | None, tme: bool, requests_tme: bool | None = None
    ) -> dict[str, Any]:
        """A gateway pod; by default it requests the TME (`tme.traceable.ai/inject`) if it has one."""
        proxy: dict[str, Any] = {"name": "proxy", "image": "kong:3.9"}
        volumes = []
        if files:
            proxy["volumeMounts"] = [{"name": "files", "mountPath": "/opt/kong/plugins/traceable"}]
            volumes = [{"name": "files", "configMap": {"name": files}}]
        sidecar = {"name": "tme", "image": "docker.io/traceableai/traceable-agent:1.58.0"}
        pod = self._object(
            "v1", "Pod", name, spec={"containers": [proxy, *([sidecar] if tme else [])], "volumes": volumes}
        )
        pod["metadata"]["labels"] = LABELS
        if tme if requests_tme is None else requests_tme:
            pod["metadata"]["annotations"] = {"tme.traceable.ai/inject": "true"}
        return pod

    def plugin(self, mode: str) -> dict[str, Any]:
        plugin = self._object("configuration.konghq.com/v1", "KongClusterPlugin", self.namespace)
        plugin["metadata"] = {
            "name": self.namespace,
            "annotations": {"kubernetes.io/ingress.class": self.namespace},
        }
        return plugin | {
            "plugin": "traceable",
            "config": {"mode": mode, "ext_cap_endpoint": "http://localhost:5442"},
        }

    def _object(self, api_version: str, kind: str, name: str, **rest: Any) -> dict[str, Any]:
        metadata = {"name": name, "namespace": self.namespace}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}
