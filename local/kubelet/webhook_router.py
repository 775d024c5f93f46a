"""Routes admission reviews from the API server to the ingress controllers, because Services have no network here.

An HTTPS server on loopback. A review for `/<namespace>/<service>` is forwarded to a ready pod of that Service, which is
found in its EndpointSlices. Without a ready pod the request fails, as for a Service without endpoints. The controller's
certificate is not checked; a real API server checks it with the chart's CA.
"""

import http.client
import json
import random
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

from local import certificates
from local.kubelet.kube_client import ApiError, KubeClient
from local.kubelet.listeners import Listener
from local.kubelet.readiness_probes import Endpoint

TIMEOUT_SECONDS = 10
SLICES = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices?labelSelector=kubernetes.io/service-name%3D{}"


class NoReadyPod(Exception):
    """No pod of the Service is ready."""


class WebhookRouter:
    """`webhook` returns the webhook's endpoint by namespace and pod name, or None."""

    def __init__(self, api: KubeClient, webhook: Callable[[str, str], Endpoint | None]) -> None:
        self._api = api
        self._webhook = webhook

    def listen(self, directory: Path, port: int) -> Listener:
        certificates.ensure(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / certificates.SERVER_FILE)
        return Listener("127.0.0.1", port, self._handle, tls=context)

    def _handle(
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> tuple[int, object]:
        namespace, _, service = path.strip("/").partition("/")
        try:
            return self._forward(namespace, service, body)
        except (NoReadyPod, ApiError, OSError, http.client.HTTPException) as problem:
            return 503, {"message": f"no endpoints available for service {service!r}: {problem}"}

    def _forward(self, namespace: str, service: str, body: bytes) -> tuple[int, object]:
        found = list(self._ready(namespace, service))
        if not found:
            raise NoReadyPod("none of its pods is ready")
        endpoint = random.choice(found)
        connection = http.client.HTTPSConnection(
            endpoint.address, endpoint.port, timeout=TIMEOUT_SECONDS, context=ssl._create_unverified_context()
        )
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()

    def _ready(self, namespace: str, service: str) -> Iterator[Endpoint]:
        for item in self._api.request("GET", SLICES.format(namespace, service))["items"]:
            for entry in item.get("endpoints") or []:
                reference = entry.get("targetRef") or {}
                endpoint = self._webhook(namespace, str(reference.get("name")))
                if entry["conditions"].get("ready") and endpoint:
                    yield endpoint
