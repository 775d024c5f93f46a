"""A Kong of its own for one test, installed with Helm alone, and requests to its pods."""

import http.client
import json
import ssl
import uuid
from dataclasses import dataclass, field
from typing import Any

import kubernetes
import yaml
from kubernetes.stream import portforward

from local.platform import Platform
from tests.live.commands import run

HANDLER = 'return { PRIORITY = 1000, VERSION = "1.0.0" }'
SCHEMA = """return { name = "foo", fields = { { config = { type = "record", fields = {
  { level = { type = "string", default = "low", one_of = { "low", "high" } } },
} } } } }"""


@dataclass
class HelmGateway:
    """A release of the stand-in chart with the plugin `foo`; namespace, release and ingress class have one name."""

    platform: Platform
    name: str = field(default_factory=lambda: f"gw-{uuid.uuid4().hex[:6]}")

    def install(self, *, wait: bool = True, **values: Any) -> None:
        """Creates the namespace, the plugin's files and the release; `values` override those of this class."""
        self.kubectl("create", "namespace", self.name)
        files = {"handler.lua": HANDLER, "schema.lua": SCHEMA}
        literals = [f"--from-literal={name}={text}" for name, text in files.items()]
        self.kubectl("create", "configmap", "foo", "--namespace", self.name, *literals)
        self.upgrade(wait=wait, **values)

    def upgrade(self, *, wait: bool = True, **values: Any) -> None:
        merged: dict[str, Any] = {
            "proxy": {"type": "NodePort"},
            "plugins": {"configMaps": [{"name": "foo", "pluginName": "foo"}]},
            "ingressController": {"ingressClass": self.name, "admissionWebhook": {"enabled": False}},
        }
        for group, value in values.items():
            merged[group] = {**merged.get(group, {}), **value} if isinstance(value, dict) else value
        self.run(
            *("helm", "upgrade", "--install", self.name, str(self.platform.charts / "kong")),
            *("--namespace", self.name, "--values", "-", *(("--wait", "--timeout", "60s") if wait else ())),
            stdin=yaml.safe_dump(merged),
        )

    def apply_plugin(
        self, name: str, *, plugin: str = "foo", ingress_class: str | None = None, webhooks: bool = False, **config: Any
    ) -> None:
        """Applies a global KongClusterPlugin; admission webhooks see it only with `webhooks`.

        Every gateway's webhook validates every plugin of the cluster, and the Kongs of other tests have no plugin
        `foo`. The chart's webhooks ignore objects with Helm's label (`admissionWebhook.objectSelector`).
        """
        document = {
            "apiVersion": "configuration.konghq.com/v1",
            "kind": "KongClusterPlugin",
            "metadata": {
                "name": name,
                "labels": {"global": "true", "live-test": self.name, **({} if webhooks else {"owner": "helm"})},
                "annotations": {"kubernetes.io/ingress.class": ingress_class or self.name},
            },
            "plugin": plugin,
            "config": config,
        }
        self.apply(document)

    def pods(self) -> list[dict[str, Any]]:
        shown = json.loads(self.kubectl("get", "pods", "--namespace", self.name, "--output", "json"))
        return [item for item in shown["items"] if "deletionTimestamp" not in item["metadata"]]

    def pod(self) -> dict[str, Any]:
        """The only pod of Kong's Deployment; with a database the chart also has Jobs."""
        (found,) = [item for item in self.pods() if "job-name" not in item["metadata"]["labels"]]
        return dict(found)

    def containers(self) -> dict[str, dict[str, Any]]:
        return {item["name"]: item for item in self.pod()["status"].get("containerStatuses", [])}

    def request(
        self, path: str, *, port: int = 8444, tls: bool = True, method: str = "GET", document: Any = None, pod: str = ""
    ) -> Any:
        """A request through a port-forward into a pod; port 8444 is Kong's Admin API."""
        configuration = kubernetes.client.Configuration()
        kubernetes.config.load_kube_config(str(self.platform.kubeconfig), client_configuration=configuration)
        core = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration))
        forward = portforward(
            core.connect_get_namespaced_pod_portforward,
            pod or self.pod()["metadata"]["name"],
            self.name,
            ports=str(port),
        )
        channel = forward.socket(port)
        channel.settimeout(5)
        connection = http.client.HTTPConnection("pod")
        connection.sock = ssl._create_unverified_context().wrap_socket(channel) if tls else channel
        try:
            body = None if document is None else json.dumps(document)
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            return json.loads(connection.getresponse().read() or b"null")
        finally:
            forward.close()

    def enabled_plugins(self) -> list[tuple[str, Any]]:
        return [(item["name"], item["config"]) for item in self.request("/plugins")["data"]]

    def events(self, reason: str, kind: str) -> list[str]:
        shown = json.loads(self.kubectl("get", "events", "--all-namespaces", "--output", "json"))
        return [
            f"{item['involvedObject']['name']}: {item['message']}"
            for item in shown["items"]
            if (item["reason"], item["involvedObject"]["kind"]) == (reason, kind)
        ]

    def remove(self) -> None:
        self.kubectl("delete", "kongclusterplugins", "--selector", f"live-test={self.name}", "--ignore-not-found")
        self.run("helm", "uninstall", self.name, "--namespace", self.name, "--ignore-not-found")
        self.kubectl("delete", "namespace", self.name, "--wait=false", "--ignore-not-found")

    def apply(self, *documents: dict[str, Any]) -> None:
        self.run("kubectl", "apply", "--filename", "-", stdin=yaml.safe_dump_all(documents))

    def kubectl(self, *arguments: str) -> str:
        return self.run("kubectl", *arguments)

    def run(self, *command: str, stdin: str | None = None) -> str:
        return run(*command, environment=self.platform.env, stdin=stdin)
