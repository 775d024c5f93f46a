"""A Kong with a database, when it goes wrong; a database for development; and a Kong that somebody else installed."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local import certificates
from local.kubelet import faults
from local.postgres.postgres_server import Server
from tests.fakes.self_signed import self_signed
from tests.live.forwarding import forwarded
from tests.live.operations import refused_preview
from tests.live.owner import Owner
from tests.live.rows import recorded_rows
from tests.live.stack import CommandFailed, LiveStack
from tests.live.standing import everything, gateway_pods, of_charts, record, tme_count
from tests.live.test_interrupted import killed_when
from tests.live.with_database import (
    DATABASE_PASSWORD,
    QUICK,
    give_database,
    give_secret,
    row,
    rows,
    running_database,
    without_object_name,
)

NOTHING = "--expect-no-changes"
KNOWN_CAUSE_SECONDS = 90.0
NewStack = Callable[..., LiveStack]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Server]:
    with running_database(tmp_path) as server:
        yield server


def refused(stack: LiveStack, *command: str) -> str:
    """What a command says that must fail, within the time that a known cause may take."""
    started = time.monotonic()
    with pytest.raises(CommandFailed) as failed:
        stack.pulumi(*(command or ("up",)), "--yes", "--skip-preview")
    assert time.monotonic() - started < KNOWN_CAUSE_SECONDS
    assert "Traceback" not in str(failed.value)
    return str(failed.value)


def test_what_breaks_meanwhile_is_said_and_mended_by_the_next_run(database: Server, new_stack: NewStack) -> None:
    stack = new_stack(mode="async", tmeGuard="deny")
    give_database(stack, database)
    try:
        with recorded_rows(stack):
            killed_when(stack, lambda: bool(gateway_pods(stack)) and bool(_rows_or_none(stack)))
            stack.up()
        stack.preview(NOTHING)

        # The connection breaks, before and after Kong did what was asked.
        for fault in ("kong_admin_drop", "kong_admin_drop_after"):
            stack.set(timeoutMs=600 if fault == "kong_admin_drop" else 650)
            faults.inject(stack.kong_namespace, **{fault: "PUT"})  # type: ignore[misc]
            assert "Admin API" in refused(stack)
            faults.clear(stack.kong_namespace)
            stack.up()
            assert row(stack)["config"]["timeout"] == (600 if fault == "kong_admin_drop" else 650)
            stack.preview(NOTHING)

        # The database is down: nothing is lost, and what is asked for comes when it is back.
        standing = row(stack)
        stack.set(timeoutMs=700)
        faults.inject(stack.kong_namespace, database="down")
        said = refused(stack)
        assert "Kong" in said
        faults.clear(stack.kong_namespace)
        _until_ready(stack)
        assert row(stack) == standing
        stack.up()
        assert row(stack)["config"]["timeout"] == 700

        # Kong cannot be reached: destroy says so, in time, and takes nothing away.
        faults.inject(stack.kong_namespace, kong_admin="closed")
        said = refused(stack, "destroy")
        assert row_id(standing) in said and "pulumi state delete" in said
        faults.clear(stack.kong_namespace)
        assert row(stack)["config"]["timeout"] == 700
        stack.destroy()
    finally:
        faults.clear(stack.kong_namespace)
        stack.kubectl("delete", "namespace", stack.kong_namespace, "--wait=false")


def row_id(standing: dict[str, Any]) -> str:
    return str(standing["id"])


def _rows_or_none(stack: LiveStack) -> list[dict[str, Any]]:
    """No rows as long as there is nobody who could be asked."""
    try:
        return rows(stack)
    except Exception:
        return []


def _until_ready(stack: LiveStack) -> None:
    where = ("--namespace", stack.kong_namespace)
    stack.kubectl("rollout", "status", f"deployment/{stack.gateway.deployment}", *where, "--timeout=60s")


def test_a_database_for_development_comes_and_goes_with_the_stack(new_stack: NewStack) -> None:
    stack = new_stack(tmeGuard="deny")
    before = everything(stack)
    without_object_name(stack)
    stack.set(
        kong={**stack.configured("kong"), "database": "postgres", "postgres": {"managed": True}},
        kongValues={"proxy": {"type": "NodePort"}, "env": QUICK, "ingressController": {"enabled": False}},
    )
    with recorded_rows(stack) as recording:
        stack.up()
    assert recording.rollouts == 2
    assert tme_count(stack) == 1 and row(stack)["config"]["mode"] == "sync"
    stack.preview(NOTHING)
    secret = stack.objects("secrets", "--namespace", stack.kong_namespace)
    (password,) = [item["data"]["password"] for item in secret if item["metadata"]["name"] == f"{stack.name}-postgres"]
    assert password not in stack.pulumi("stack", "export")

    # It goes with its database, so nobody need be asked.
    faults.inject(stack.kong_namespace, kong_admin="closed")
    try:
        stack.destroy()
    finally:
        faults.clear(stack.kong_namespace)
    left = {item for item in everything(stack) - before if not of_charts(item)}
    assert {item for item in left if item[0] not in ("PersistentVolume",)} == set()


def asking_for_a_certificate(stack: LiveStack, folder: Path) -> dict[str, Any]:
    """Kong's values: it shows a certificate of its owner's, and asks for one. The Secrets of both are made."""
    certificates.ensure(folder)
    pair, (client, key) = (folder / certificates.SERVER_FILE).read_text(), self_signed("a client")
    authority = (folder / certificates.CA_FILE).read_text()
    give_secret(
        stack, "kong-admin-tls", **{"tls.crt": pair, "tls.key": pair, "ca.crt": authority, "client.crt": client}
    )
    give_secret(stack, "kong-admin-client", **{"tls.crt": client, "tls.key": key})
    mounted = "/etc/secrets/kong-admin-tls"
    return {
        "secretVolumes": ["kong-admin-tls"],
        "env": {
            "admin_ssl_cert": f"{mounted}/tls.crt",
            "admin_ssl_cert_key": f"{mounted}/tls.key",
            "nginx_admin_ssl_verify_client": "on",
            "nginx_admin_ssl_client_certificate": f"{mounted}/client.crt",
        },
    }


def test_an_enterprise_kong_asks_for_a_token_and_a_certificate_in_its_pod_and_at_an_address(
    database: Server, new_stack: NewStack, tmp_path: Path
) -> None:
    stack = new_stack(mode="async")
    shown = {"clientCertificateSecret": "kong-admin-client"}
    admin = {"tokenSecret": {"name": "kong-admin", "key": "token"}}
    give_database(stack, database, admin={**admin, **shown})
    secured = asking_for_a_certificate(stack, tmp_path / "certificates")
    password = {"valueFrom": {"secretKeyRef": {"name": "kong-admin", "key": "token"}}}
    stack.set(
        kongValues={
            **secured,
            "proxy": {"type": "NodePort"},
            "image": {"repository": "kong/kong-gateway", "tag": "3.9"},
            "ingressController": {"enabled": False},
            "env": {**secured["env"], **QUICK, "enforce_rbac": "on", "password": password},
        },
    )
    token = "live-test-admin-token"
    try:
        with pytest.raises(CommandFailed, match="secret kong-admin"):
            stack.preview()
        give_secret(stack, "kong-admin", token=token)
        stack.up()
        stack.preview(NOTHING)
        assert stack.verify().returncode == 0
        a_record_is_believed_within_limits(stack)
        for text in (stack.pulumi("stack", "export"), stack.preview("--diff"), str(stack.outputs())):
            assert token not in text and "PRIVATE KEY" not in text
        maps = stack.objects("configmaps", "--all-namespaces")
        assert token not in str(maps)

        kong = stack.configured("kong")
        deployment = f"deployment/{stack.gateway.deployment}"
        with forwarded(stack.environment(), stack.kong_namespace, deployment, 8444) as address:
            url = f"https://{address}"
            untrusted = {**admin, "url": url}
            trusted = {**untrusted, "caSecret": {"name": "kong-admin-tls", "key": "ca.crt"}}
            stack.set(kong={**kong, "admin": {**untrusted, **shown}})
            assert "kong.admin.caSecret names the Secret" in refused_preview(stack)
            stack.set(kong={**kong, "admin": trusted})
            assert "kong.admin.clientCertificateSecret" in refused_preview(stack)
            stack.set(kong={**kong, "admin": {**trusted, **shown}}, timeoutMs=700)
            stack.up()
            stack.preview(NOTHING)
            assert stack.verify().returncode == 0
        said = stack.preview()
        assert f"({url}) does not answer" in said and "could not be asked" in said
        stack.set(kong=kong)

        give_secret(stack, "kong-admin", token="another")
        stack.set(timeoutMs=600)
        assert "401" in refused(stack) or "credentials" in refused(stack)
        give_secret(stack, "kong-admin", token=token)
        stack.up()
        stack.destroy()
    finally:
        stack.kubectl("delete", "namespace", stack.kong_namespace, "--wait=false")


def a_record_is_believed_within_limits(stack: LiveStack) -> None:
    """Alone it shows nobody a Secret, changed by hand it is refused, and the command line can name what it may not."""
    here = ("--namespace", stack.kong_namespace)
    alone = stack.run_verify(*here)
    assert alone.returncode == 2 and "names the Secret kong-admin" in alone.stderr
    named = ("--admin-token-secret", "kong-admin/token", "--admin-client-certificate-secret", "kong-admin-client")
    told = stack.run_verify(*here, *named)
    assert told.returncode == 0 and "was read from the record" in told.stdout, told.stdout + told.stderr

    standing = record(stack)
    access = json.loads(standing["adminApi"])
    evil = json.dumps({**access, "url": "https://127.0.0.1:9", "tokenSecret": "kong-admin-tls/tls.key"})
    patch = ("patch", "configmap", "traceable-installation", *here, "--type=merge")
    stack.kubectl(*patch, f"--patch={json.dumps({'data': {'adminApi': evil}})}")
    changed = stack.verify()
    assert changed.returncode == 2 and "somebody changed it" in changed.stderr
    alone = stack.run_verify(*here)
    assert alone.returncode == 2 and "names the address https://127.0.0.1:9" in alone.stderr
    # What a refresh has seen is still not what the stack wrote.
    stack.pulumi("refresh", "--yes", "--skip-preview")
    assert stack.verify().returncode == 2
    stack.up("--refresh")
    assert record(stack) == standing
    assert stack.verify().returncode == 0


def test_a_kong_with_a_database_that_somebody_else_installed(database: Server, new_stack: NewStack) -> None:
    stack = new_stack(tmeGuard="deny")
    owner = Owner(stack)
    try:
        password = {"pg_password": DATABASE_PASSWORD}
        where = {"database": "postgres", "pg_host": database.address, "pg_port": str(database.port)}
        owner.install(env={**QUICK, **where, **password})
        before = owner.template()
        with pytest.raises(CommandFailed, match="KONG_DATABASE"):
            stack.preview()
        without_object_name(stack)
        stack.set(kong={**stack.configured("kong"), "database": "postgres"})
        with recorded_rows(stack) as recording:
            stack.up()
        assert recording.rollouts == 2
        assert row(stack)["config"]["mode"] == "sync"
        stack.preview(NOTHING)
        assert stack.verify().returncode == 0
        assert DATABASE_PASSWORD not in stack.pulumi("stack", "export")
        with recorded_rows(stack):
            stack.destroy()
        assert owner.template() == before
        assert rows(stack) == []
    finally:
        stack.tear_down()
        owner.remove()
