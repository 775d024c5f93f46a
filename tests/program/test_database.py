"""The whole program on a Kong with a database: a plugin entity takes the place of the KongClusterPlugin."""

import asyncio
from typing import Any

import pytest

from tests.fakes.plans import OWNER, plan, verify_command
from tests.fakes.program import Program
from tests.fakes.recording import Recording
from tests.hooks.stack import gateway_of
from tests.program.test_program import without_common_hooks
from traceable_kong.cluster import target
from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.hooks import orphaned_releases, plugin_removal
from traceable_kong.plan.outputs import stack_outputs

KONG: dict[str, Any] = {
    "createNamespace": False,
    "database": "postgres",
    "postgres": {"host": "db", "passwordSecret": {"name": "pg", "key": "password"}},
}


def up(
    program: Program, *, admin: dict[str, Any] | None = None, kong: dict[str, Any] | None = None, **config: Any
) -> Recording:
    return program.up(kong={**KONG, **({"admin": admin} if admin else {}), **(kong or {})}, **config)


@pytest.mark.parametrize(
    ("config", "tme_comes_first"),
    [({"mode": "sync"}, True), ({"mode": "async"}, False), ({"mode": "sync", "enabled": False}, False)],
)
def test_the_entity_has_the_place_of_the_object(
    program: Program, config: dict[str, Any], tme_comes_first: bool
) -> None:
    made = up(program, **config)
    assert made.of_type(":KongClusterPlugin") == []
    assert made.waits_for("traceable-plugin-entity", "traceable-gateway-release")
    assert made.waits_for("traceable-installation-record", "traceable-plugin-entity")
    for patch in ("traceable-tme-pod-annotation", "traceable-tme-namespace-label"):
        assert made.waits_for("traceable-plugin-entity", patch) is tme_comes_first
        assert made.waits_for(patch, "traceable-plugin-entity") is not tme_comes_first
    assert without_common_hooks(made["traceable-plugin-entity"].hooks) == {}
    (gateway,) = program.gateways_before_plugin
    assert gateway.plugin.custom_resource is None and "traceable-plugin-entity" not in program.before_plugin
    assert ("traceable-tme-pod-annotation" in program.before_plugin) is tme_comes_first


def test_the_entity_has_its_endpoint_and_its_owner(program: Program) -> None:
    admin = {
        "url": "https://kong-admin:8444",
        "tokenSecret": {"name": "rbac", "key": "token"},
        "caSecret": {"name": "ca", "key": "ca.crt"},
        "clientCertificateSecret": "client",
        "workspace": "team",
        "adopt": True,
        "service": "orders",
    }
    entity = up(program, admin=admin, scope="selected", enabled=False)["traceable-plugin-entity"].inputs
    assert entity["endpoint"] == {
        "namespace": "kong",
        "deployment": "quickstart-kong",
        "container": "proxy",
        "url": "https://kong-admin:8444",
        "workspace": "team",
        "tokenSecret": "rbac/token",
        "caSecret": "ca/ca.crt",
        "clientCertificateSecret": "client",
        "insecure": False,
    }
    keys = ("workspace", "route", "service", "owner", "enabled", "adopt", "managedDatabase")
    assert [entity[key] for key in keys] == ["team", "", "orders", "traceable-kong.test-0a1b2c3d", False, True, False]
    assert entity["config"]["mode"] == "sync"


def test_an_untrusted_certificate_is_accepted_only_if_the_config_says_so(program: Program) -> None:
    entity = up(
        program, admin={"url": "https://kong-admin:8444", "insecure": True, "route": "orders"}, scope="selected"
    )
    access = entity["traceable-plugin-entity"].inputs["endpoint"]
    assert (access["insecure"], access["tokenSecret"], access["caSecret"]) == (True, "", "")
    assert (entity["traceable-plugin-entity"].inputs["route"], entity["traceable-plugin-entity"].inputs["service"]) == (
        "orders",
        "",
    )


def test_an_entity_in_a_managed_database_is_deleted_with_it(program: Program) -> None:
    made = up(program, kong={"createNamespace": True, "postgres": {"managed": True}})
    assert made["traceable-plugin-entity"].inputs["managedDatabase"] is True
    kong = gateway_of(program.plans[-1]).kong
    assert kong.managed_postgres is not None and kong.managed_postgres.name == "quickstart-postgres"


def test_a_database_that_is_not_in_the_state_keeps_its_password(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[Any] = []
    monkeypatch.setattr(orphaned_releases, "require_database_password", lambda _, postgres: checked.append(postgres))
    made = up(program, kong={"namespace": "gw", "postgres": {"managed": True}})
    monkeypatch.setattr(target.ClusterTarget, "api", object())
    ((occasion, (name,)),) = without_common_hooks(made["traceable-postgres-secret"].hooks).items()
    assert occasion == "before_create"
    asyncio.run(made.hooks[name].callback(None))  # type: ignore[arg-type]
    assert [(item.namespace, item.name) for item in checked] == [("gw", "quickstart-postgres")]


def test_the_plan_and_the_verification_have_the_entity(program: Program) -> None:
    up(program, admin={"tokenSecret": {"name": "rbac", "key": "token"}, "clientCertificateSecret": "client"})
    (expected,) = program.asked_for
    gateway = gateway_of(program.plans[-1])
    assert expected.plugin is gateway.plugin
    assert gateway.plugin.custom_resource is None and gateway.plugin.entity is not None
    endpoint = gateway.plugin.entity.endpoint
    assert (endpoint.token_secret, endpoint.client_certificate_secret) == (
        SecretKey(name="rbac", key="token"),
        "client",
    )
    assert gateway.database_mode == "postgres"


def test_without_a_database_there_is_no_entity(program: Program) -> None:
    program.up()
    assert gateway_of(program.plans[-1]).database_mode == "off"
    assert program.asked_for[0].plugin.entity is None


def test_the_record_has_the_entity_and_no_secret(program: Program) -> None:
    made = up(program, admin={"tokenSecret": {"name": "rbac", "key": "token"}})
    data = made["traceable-installation-record"].inputs["data"]
    assert data["database"] == "postgres" and "pluginObject" not in data
    assert (
        '"tokenSecret": "rbac/token"' in data["adminApi"]
        and '"owner": "traceable-kong.test-0a1b2c3d"' in data["pluginEntity"]
    )


def test_a_person_finds_the_entity_by_its_tag() -> None:
    outputs = stack_outputs(plan(kong=KONG), verify_command("dev"))
    assert (outputs["workspace"], outputs["pluginTag"]) == ("default", f"traceable-kong:{OWNER}")
    assert "plugin" not in outputs


def test_uninstalling_traceable_deletes_the_entity_before_the_files(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(plugin_removal, "remove_plugin", lambda _, desired, owner: asked.append(desired))
    made = up(program, installed=False, enabled=False)
    assert "traceable-plugin-entity" not in made.names
    monkeypatch.setattr(target.ClusterTarget, "api", object())
    (name,) = without_common_hooks(made["traceable-gateway-release"].hooks)["before_update"]
    monkeypatch.setattr("traceable_kong.hooks.rollout_monitor.RolloutMonitor.start", lambda self: None)
    asyncio.run(made.hooks[name].callback(None))  # type: ignore[arg-type]
    assert asked == program.asked_for


def test_an_existing_kong_with_a_database(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target.ClusterTarget, "selector_of", lambda *_: {"matchLabels": {"app": "edge"}})
    kong = {"install": False, "namespace": "gw", "deployment": "edge", "container": "kong", "database": "postgres"}
    made = program.up(kong=kong)
    assert made.waits_for("traceable-plugin-entity", "traceable-gateway-files") and made.waits_for(
        "traceable-installation-record", "traceable-plugin-entity"
    )
    access = made["traceable-plugin-entity"].inputs["endpoint"]
    assert (access["namespace"], access["deployment"], access["container"]) == ("gw", "edge", "kong")
