"""A Kong with a database: failures, a managed database, a secured Admin API, and an existing Kong."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import certificates
from local.kubelet import faults
from local.postgres.postgres_server import Server
from tests.fakes.self_signed import self_signed
from tests.live.cluster_state import all_objects, created_since, gateway_pods, record, tme_count
from tests.live.commands import CommandFailed
from tests.live.database_stack import (
    DATABASE_PASSWORD,
    FAST_UPDATES,
    create_secret,
    plugin_entities,
    plugin_entity,
    recorded_nodes,
    running_database,
    unset_object_name,
    use_database,
)
from tests.live.interruption import kill_when
from tests.live.kong_owner import KongOwner
from tests.live.port_forward import port_forward
from tests.live.stack import NO_CHANGES, NO_DRIFT, LiveStack, NewStack

KNOWN_CAUSE_SECONDS = 90.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Server]:
    with running_database(tmp_path) as server:
        yield server


def fails_fast(stack: LiveStack, command: str = "up") -> str:
    """The output of a command that must fail within the time that a known cause may take."""
    started = time.monotonic()
    output = stack.failed(command, "--yes", "--skip-preview")
    assert time.monotonic() - started < KNOWN_CAUSE_SECONDS
    assert "Traceback" not in output
    return output


def test_an_update_interrupted_by_a_failure_says_so_and_the_next_completes_it(
    database: Server, new_stack: NewStack
) -> None:
    stack = new_stack(mode="async", tmeGuard="deny")
    use_database(stack, database)
    try:
        with recorded_nodes(stack):
            kill_when(stack, lambda: bool(gateway_pods(stack)) and bool(_readable_entities(stack)))
            stack.up()
        stack.preview(NO_CHANGES)

        # The connection breaks before and after Kong writes.
        for fault in ("kong_admin_drop", "kong_admin_drop_after"):
            stack.set(timeoutMs=600 if fault == "kong_admin_drop" else 650)
            faults.inject(stack.kong_namespace, **{fault: "PUT"})  # type: ignore[arg-type]
            assert "Admin API" in fails_fast(stack)
            faults.clear(stack.kong_namespace)
            stack.up()
            assert plugin_entity(stack)["config"]["timeout"] == (600 if fault == "kong_admin_drop" else 650)
            stack.preview(NO_CHANGES)

        # The database is down: nothing is lost, and the next update makes the change.
        before = plugin_entity(stack)
        stack.set(timeoutMs=700)
        faults.inject(stack.kong_namespace, database="down")
        assert "Kong" in fails_fast(stack)
        faults.clear(stack.kong_namespace)
        _until_ready(stack)
        assert plugin_entity(stack) == before
        stack.up()
        assert plugin_entity(stack)["config"]["timeout"] == 700

        # Kong is unreachable: destroy says so, in time, and deletes nothing.
        faults.inject(stack.kong_namespace, kong_admin="closed")
        output = fails_fast(stack, "destroy")
        assert before["id"] in output and "pulumi state delete" in output
        faults.clear(stack.kong_namespace)
        assert plugin_entity(stack)["config"]["timeout"] == 700
        stack.destroy()
    finally:
        faults.clear(stack.kong_namespace)
        stack.kubectl("delete", "namespace", stack.kong_namespace, "--wait=false")


def _readable_entities(stack: LiveStack) -> list[dict[str, Any]]:
    """The plugin entities; none while the Admin API does not answer."""
    try:
        return plugin_entities(stack)
    except Exception:
        return []


def _until_ready(stack: LiveStack) -> None:
    namespace = ("--namespace", stack.kong_namespace)
    stack.kubectl("rollout", "status", f"deployment/{stack.gateway.deployment}", *namespace, "--timeout=60s")


def test_a_managed_database_is_created_and_deleted_with_the_stack(new_stack: NewStack) -> None:
    stack = new_stack(tmeGuard="deny")
    before = all_objects(stack)
    unset_object_name(stack)
    stack.set(
        kong={**stack.configured("kong"), "database": "postgres", "postgres": {"managed": True}},
        kongValues={"proxy": {"type": "NodePort"}, "env": FAST_UPDATES, "ingressController": {"enabled": False}},
    )
    with recorded_nodes(stack) as recording:
        stack.up()
    assert recording.rollouts == 2
    assert tme_count(stack) == 1 and plugin_entity(stack)["config"]["mode"] == "sync"
    stack.preview(*NO_DRIFT)
    secret = stack.objects("secrets", "--namespace", stack.kong_namespace)
    (password,) = [item["data"]["password"] for item in secret if item["metadata"]["name"] == f"{stack.name}-postgres"]
    assert password not in stack.pulumi("stack", "export")

    # The plugin entity is deleted with its database, so destroy needs no Admin API.
    faults.inject(stack.kong_namespace, kong_admin="closed")
    try:
        stack.destroy()
    finally:
        faults.clear(stack.kong_namespace)
    assert {item for item in created_since(stack, before) if item[0] != "PersistentVolume"} == set()


def require_client_certificate(stack: LiveStack, folder: Path) -> dict[str, Any]:
    """Chart values for an Admin API with its owner's certificate that requires one of the client; creates Secrets."""
    certificates.ensure(folder)
    pair, (client, key) = (folder / certificates.SERVER_FILE).read_text(), self_signed("a client")
    authority = (folder / certificates.CA_FILE).read_text()
    create_secret(
        stack, "kong-admin-tls", **{"tls.crt": pair, "tls.key": pair, "ca.crt": authority, "client.crt": client}
    )
    create_secret(stack, "kong-admin-client", **{"tls.crt": client, "tls.key": key})
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


def test_an_enterprise_kong_that_requires_token_and_certificate_in_its_pod_and_at_a_url(
    database: Server, new_stack: NewStack, tmp_path: Path
) -> None:
    stack = new_stack(mode="async")
    shown = {"clientCertificateSecret": "kong-admin-client"}
    admin = {"tokenSecret": {"name": "kong-admin", "key": "token"}}
    use_database(stack, database, admin={**admin, **shown})
    secured = require_client_certificate(stack, tmp_path / "certificates")
    password = {"valueFrom": {"secretKeyRef": {"name": "kong-admin", "key": "token"}}}
    stack.set(
        kongValues={
            **secured,
            "proxy": {"type": "NodePort"},
            "image": {"repository": "kong/kong-gateway", "tag": "3.9"},
            "ingressController": {"enabled": False},
            "env": {**secured["env"], **FAST_UPDATES, "enforce_rbac": "on", "password": password},
        },
    )
    token = "live-test-admin-token"
    try:
        with pytest.raises(CommandFailed, match="secret kong-admin"):
            stack.preview()
        create_secret(stack, "kong-admin", token=token)
        stack.up()
        stack.preview(NO_CHANGES)
        assert stack.verify().returncode == 0
        a_record_is_trusted_within_limits(stack)
        for text in (stack.pulumi("stack", "export"), stack.preview("--diff"), str(stack.outputs())):
            assert token not in text and "PRIVATE KEY" not in text
        assert token not in str(stack.objects("configmaps", "--all-namespaces"))

        kong = stack.configured("kong")
        deployment = f"deployment/{stack.gateway.deployment}"
        with port_forward(stack.environment(), stack.kong_namespace, deployment, 8444) as address:
            url = f"https://{address}"
            untrusted = {**admin, "url": url}
            trusted = {**untrusted, "caSecret": {"name": "kong-admin-tls", "key": "ca.crt"}}
            stack.set(kong={**kong, "admin": {**untrusted, **shown}})
            assert "kong.admin.caSecret to the Secret" in stack.failed_preview()
            stack.set(kong={**kong, "admin": trusted})
            assert "kong.admin.clientCertificateSecret" in stack.failed_preview()
            stack.set(kong={**kong, "admin": {**trusted, **shown}}, timeoutMs=700)
            stack.up()
            stack.preview(NO_CHANGES)
            assert stack.verify().returncode == 0
        output = stack.preview()
        assert f"({url}) does not answer" in output and "could not be reached" in output
        stack.set(kong=kong)

        create_secret(stack, "kong-admin", token="another")
        stack.set(timeoutMs=600)
        output = fails_fast(stack)
        assert "401" in output or "credentials" in output
        create_secret(stack, "kong-admin", token=token)
        stack.up()
        stack.destroy()
    finally:
        stack.kubectl("delete", "namespace", stack.kong_namespace, "--wait=false")


def a_record_is_trusted_within_limits(stack: LiveStack) -> None:
    """A record alone names no Secret to read, a changed one is refused, and options may name the Secrets."""
    namespace = ("--namespace", stack.kong_namespace)
    alone = stack.run_verify(*namespace)
    assert alone.returncode == 2 and "names the Secret kong-admin" in alone.stderr
    secrets = ("--admin-token-secret", "kong-admin/token", "--admin-client-certificate-secret", "kong-admin-client")
    named = stack.run_verify(*namespace, *secrets)
    assert named.returncode == 0 and "was read from the record" in named.stdout, named.stdout + named.stderr

    before = record(stack)
    endpoint = json.loads(before["adminApi"])
    evil = json.dumps({**endpoint, "url": "https://127.0.0.1:9", "tokenSecret": "kong-admin-tls/tls.key"})
    patch = ("patch", "configmap", "traceable-installation", *namespace, "--type=merge")
    stack.kubectl(*patch, f"--patch={json.dumps({'data': {'adminApi': evil}})}")
    changed = stack.verify()
    assert changed.returncode == 2 and "it was changed" in changed.stderr
    alone = stack.run_verify(*namespace)
    assert alone.returncode == 2 and "names the address https://127.0.0.1:9" in alone.stderr
    # A refresh does not make the changed record one that the stack wrote.
    stack.refresh()
    assert stack.verify().returncode == 2
    stack.up("--refresh")
    assert record(stack) == before
    assert stack.verify().returncode == 0


def test_an_existing_kong_with_a_database(database: Server, new_stack: NewStack) -> None:
    stack = new_stack(tmeGuard="deny")
    owner = KongOwner(stack)
    try:
        connection = {"database": "postgres", "pg_host": database.address, "pg_port": str(database.port)}
        owner.install(env={**FAST_UPDATES, **connection, "pg_password": DATABASE_PASSWORD})
        before = owner.template()
        with pytest.raises(CommandFailed, match="KONG_DATABASE"):
            stack.preview()
        unset_object_name(stack)
        stack.update("kong", database="postgres")
        with recorded_nodes(stack) as recording:
            stack.up()
        assert recording.rollouts == 2
        assert plugin_entity(stack)["config"]["mode"] == "sync"
        stack.preview(NO_CHANGES)
        assert stack.verify().returncode == 0
        assert DATABASE_PASSWORD not in stack.pulumi("stack", "export")
        with recorded_nodes(stack):
            stack.destroy()
        assert owner.template() == before
        assert plugin_entities(stack) == []
    finally:
        stack.tear_down()
        owner.remove()
