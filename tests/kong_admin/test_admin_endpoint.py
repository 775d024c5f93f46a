"""How the Admin API is reached: its credentials are read from Secrets for each use, and never shown."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local import certificates
from tests.fakes.admin_api import Admin, serving
from tests.fakes.admin_api_cluster import DEPLOYMENT, GATEWAY, add_pod, add_secret, cluster
from tests.fakes.admin_api_cluster import endpoint as endpoint_with
from tests.fakes.fake_kubernetes import FakeKubernetes, forbidden
from tests.kong_admin.conftest import CLIENT
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.kong_admin import admin_endpoint as module
from traceable_kong.kong_admin.admin_endpoint import client, credentials, endpoint_of
from traceable_kong.kong_admin.admin_errors import AdminError, DeploymentMissing, SecretMissing, Unavailable

TOKEN = SecretKey(name="kong-admin", key="token")


def asked(fake: FakeKubernetes, deadline_seconds: float = 2.0, **changes: Any) -> list[dict[str, Any]]:
    with client(fake, endpoint_with(**changes), deadline_seconds=deadline_seconds) as made:
        return made.list("/plugins")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "url": "https://kong-admin:8444/a",
            "workspace": "team",
            "token_secret": TOKEN,
            "ca_secret": SecretKey(name="ca", key="ca.crt"),
            "client_certificate_secret": "client",
            "insecure": True,
        },
    ],
)
def test_an_endpoint_is_read_back_from_its_document(changes: dict[str, Any]) -> None:
    made = endpoint_with(**changes)
    assert endpoint_of(json.loads(json.dumps(made.document()))) == made


def test_a_url_is_used_with_its_path(admin: Admin) -> None:
    admin.answers = [(200, {"data": [], "next": None})]
    assert asked(FakeKubernetes(), url=f"{admin.url}/kong") == []
    assert admin.asked == [("GET", "/kong/plugins")]


def test_a_port_forward_goes_into_a_ready_pod(admin: Admin) -> None:
    fake = cluster(admin, "gw-0", "gw-2", "gw-1")
    add_pod(fake, "gw-0", admin, ready=False)
    fake.objects["/api/v1/namespaces/gw/pods/gw-2"]["metadata"]["deletionTimestamp"] = "now"
    assert asked(fake) == []
    assert fake.forwarded == [("gw", "gw-1", 8001)]


def test_the_next_connection_goes_into_another_pod(admin: Admin) -> None:
    fake = cluster(None, "gw-1", "gw-2")
    fake.listeners["gw-2", 8001] = admin.serve
    assert asked(fake) == []
    assert [pod for _, pod, _ in fake.forwarded] == ["gw-1", "gw-2"]


def test_it_waits_for_a_ready_pod(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = cluster(admin)
    pods = list(fake.objects)
    listing = fake.list
    calls: list[str] = []

    def later(path: str, **selectors: str) -> list[dict[str, Any]]:
        calls.append(path)
        return listing(path, **selectors) if len(calls) > 2 else []

    monkeypatch.setattr(fake, "list", later)
    assert pods and asked(fake) == []
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("break_it", "error", "said"),
    [
        (lambda fake: fake.objects.pop(DEPLOYMENT), DeploymentMissing, "Deployment gw/edge-kong does not exist"),
        (
            lambda fake: fake.objects.pop("/api/v1/namespaces/gw/pods/gw-1"),
            Unavailable,
            "no pod of deployment gw/edge-kong is ready",
        ),
        (lambda fake: fake.problems.update({DEPLOYMENT: forbidden()}), Unavailable, "cannot be reached: you may not"),
        (lambda fake: fake.listeners.clear(), Unavailable, "port-forward into gw/edge-kong.* does not answer"),
    ],
)
def test_an_unreachable_admin_api_is_reported_at_the_deadline(
    admin: Admin, break_it: Any, error: type[AdminError], said: str
) -> None:
    fake = cluster(admin)
    break_it(fake)
    with pytest.raises(error, match=said):
        asked(fake, deadline_seconds=0.1)


def test_a_pod_without_the_container(admin: Admin) -> None:
    with pytest.raises(Unavailable, match="pod gw-1 has no container kong"):
        asked(cluster(admin), deadline_seconds=0.1, deployment=replace(GATEWAY, container="kong"))


def test_the_token_is_read_for_each_client(admin: Admin) -> None:
    fake = cluster(admin)
    for token in ("first", "second"):
        admin.token = token
        add_secret(fake, "kong-admin", token=f"{token}\n")
        assert asked(fake, token_secret=TOKEN) == []


def test_tls_with_certificates_from_secrets(pems: Path) -> None:
    fake = FakeKubernetes()
    add_secret(fake, "ca", ca_crt=(pems / certificates.CA_FILE).read_text())
    own = (pems / CLIENT).read_text()
    certificate, key = own.split("-----BEGIN PRIVATE KEY-----")
    add_secret(fake, "client", tls_crt=certificate, tls_key=f"-----BEGIN PRIVATE KEY-----{key}")
    with serving(pems / certificates.SERVER_FILE, authority=pems / CLIENT) as admin:
        known: dict[str, Any] = {"ca_secret": SecretKey(name="ca", key="ca.crt"), "client_certificate_secret": "client"}
        assert asked(fake, url=admin.url, **known) == []
        assert asked(fake, url=admin.url, client_certificate_secret="client", insecure=True) == []
        with pytest.raises(AdminError, match="not trusted"):
            asked(fake, url=admin.url, client_certificate_secret="client")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "Secret gw/kong-admin, which kong.admin names, does not exist"),
        ({}, "has no text at token"),
        ({"other": "x"}, "has no text at token"),
        ({"token": " \n"}, "has no text at token"),
        ({"token": "planted\nin two lines"}, "not a Kong-Admin-Token"),
        ({"token": "plantéd"}, "not a Kong-Admin-Token"),
    ],
)
def test_a_missing_or_unusable_secret_is_reported(data: dict[str, str] | None, said: str) -> None:
    fake = FakeKubernetes()
    if data is not None:
        add_secret(fake, "kong-admin", **data)
    with pytest.raises(SecretMissing, match=said) as missing:
        client(fake, endpoint_with(token_secret=TOKEN))
    assert "plant" not in str(missing.value)


def test_credentials_are_not_shown() -> None:
    fake = FakeKubernetes()
    add_secret(fake, "kong-admin", token="planted")
    known = credentials(fake, endpoint_with(token_secret=TOKEN))
    assert known.token == "planted" and "planted" not in repr(known)
    assert "planted" not in repr(module.Credentials(ca="planted", certificate="planted"))
