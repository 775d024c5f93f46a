"""An HTTP client for a pod's endpoints."""

import http.client
import json
import ssl
from typing import Any

from local.kubelet.readiness_probes import Endpoint


def ask(
    endpoint: Endpoint, path: str = "/", *, tls: bool = False, timeout: float = 5, method: str = "GET", body: str = ""
) -> tuple[int, Any]:
    kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
    more: dict[str, Any] = {"context": ssl._create_unverified_context()} if tls else {}
    connection = kind(endpoint.address, endpoint.port, timeout=timeout, **more)
    try:
        connection.request(method, path, body or None)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()
