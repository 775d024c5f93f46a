"""The server certificate of the Admin API, and the client certificate that it requires."""

import base64
import http.client
import ssl
from pathlib import Path
from typing import Any

import pytest

from local import certificates
from local.kubelet import container_processes, kong_processes
from local.kubelet.container_processes import ProcessFailed
from tests.fakes.self_signed import self_signed
from tests.local.kubelet.pods import KONG, FakeKubeClient, pod


@pytest.fixture
def pair(tmp_path: Path) -> str:
    """A certificate for 127.0.0.1 with its key. The CA certificate is in the same folder."""
    certificates.ensure(tmp_path / "own")
    return (tmp_path / "own" / certificates.SERVER_FILE).read_text()


def started(
    pod_context: container_processes.PodContext, secret: dict[str, str], **env: str
) -> kong_processes.KongProcess:
    data = {name: base64.b64encode(value.encode()).decode() for name, value in secret.items()}
    pod_context.api = FakeKubeClient({"/api/v1/namespaces/ns/secrets/tls": {"data": data}})  # type: ignore[assignment]
    pod_context.pod = pod(KONG, volumes=[{"name": "tls", "secret": {"secretName": "tls"}}])
    variables = {"KONG_DATABASE": "off", "KONG_ADMIN_LISTEN": "0.0.0.0:8444 ssl", **env}
    process = kong_processes.KongProcess(
        pod_context,
        {
            **KONG,
            "env": [{"name": name, "value": value} for name, value in variables.items()],
            "volumeMounts": [{"name": "tls", "mountPath": "/tls"}],
        },
    )
    process.start()
    return process


def ask(process: kong_processes.KongProcess, context: ssl.SSLContext) -> tuple[int, bytes]:
    endpoint = process.endpoints[8444]
    connection = http.client.HTTPSConnection(endpoint.address, endpoint.port, timeout=5, context=context)
    try:
        connection.request("GET", "/status")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def authority(tmp_path: Path) -> str:
    return base64.b64decode(certificates.ca_bundle(tmp_path / "own")).decode()


def trusting(tmp_path: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority(tmp_path))
    context.check_hostname = False  # The pod's address is not in the certificate.
    return context


OWN = {"KONG_ADMIN_SSL_CERT": "/tls/pair", "KONG_ADMIN_SSL_CERT_KEY": "/tls/pair"}
ASKS = {"KONG_NGINX_ADMIN_SSL_VERIFY_CLIENT": "on", "KONG_NGINX_ADMIN_SSL_CLIENT_CERTIFICATE": "/tls/ca"}


def test_the_admin_api_has_the_configured_certificate(
    pod_context: container_processes.PodContext, pair: str, tmp_path: Path
) -> None:
    process = started(pod_context, {"pair": pair}, **OWN)
    assert ask(process, trusting(tmp_path))[0] == 200
    process.stop()
    process = started(pod_context, {"pair": pair})
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(process, trusting(tmp_path))
    process.stop()


def test_the_admin_api_requires_a_client_certificate(
    pod_context: container_processes.PodContext, pair: str, tmp_path: Path
) -> None:
    client, key = self_signed("a client")
    (tmp_path / "client.pem").write_text(client + key)
    process = started(pod_context, {"pair": pair, "ca": client}, **OWN, **ASKS)
    status, text = ask(process, trusting(tmp_path))
    assert status == 400 and b"No required SSL certificate was sent" in text
    showing: Any = trusting(tmp_path)
    showing.load_cert_chain(tmp_path / "client.pem")
    assert ask(process, showing)[0] == 200
    process.stop()


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"KONG_ADMIN_SSL_CERT": "/tls/pair"}, "must both be specified"),
        ({**OWN, "KONG_ADMIN_SSL_CERT": "/none"}, "admin_ssl_cert: no such file at /none"),
        ({**OWN, **ASKS}, r'load_verify_locations\("/tls/ca"\) failed'),
    ],
)
def test_a_missing_certificate(
    pod_context: container_processes.PodContext, pair: str, env: dict[str, str], message: str
) -> None:
    with pytest.raises(ProcessFailed, match=message):
        started(pod_context, {"pair": pair}, **env)
