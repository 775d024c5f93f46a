"""The whole program on a Kong with a database: a row in the place of the KongClusterPlugin, and nothing else moves."""

import asyncio
from typing import Any

import pytest

from tests.fakes.program import Program
from tests.fakes.recording import Recording
from tests.program.test_program import without_name_check
from traceable_kong.hooks import orphaned_releases, plugin_removal

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
def test_the_row_has_the_place_of_the_object(
    program: Program, config: dict[str, object], tme_comes_first: bool
) -> None:
    made = up(program, **config)
    assert made.of_type(":KongClusterPlugin") == []
    assert made.waits_for("plugin-row", "gateway-release")
    assert made.waits_for("installation-record", "plugin-row")
    for patch in ("tme-pod-annotation", "tme-namespace-label"):
        assert made.waits_for("plugin-row", patch) is tme_comes_first
        assert made.waits_for(patch, "plugin-row") is not tme_comes_first
    assert made["plugin-row"].hooks == {}
    (step,) = program.steps
    assert step.document is None and "plugin-row" not in program.before_plugin
    assert ("tme-pod-annotation" in program.before_plugin) is tme_comes_first


def test_it_says_where_kong_is_asked_and_whose_it_is(program: Program) -> None:
    admin = {
        "url": "https://kong-admin:8444",
        "tokenSecret": {"name": "rbac", "key": "token"},
        "caSecret": {"name": "ca", "key": "ca.crt"},
        "clientCertificateSecret": "client",
        "workspace": "team",
        "adopt": True,
        "service": "orders",
    }
    row = up(program, admin=admin, scope="selected", enabled=False)["plugin-row"].inputs
    assert row["endpoint"] == {
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
    told = ("workspace", "route", "service", "owner", "enabled", "adopt", "managedDatabase")
    assert [row[key] for key in told] == ["team", "", "orders", "traceable-kong.test-0a1b2c3d", False, True, False]
    assert row["config"]["mode"] == "sync"


def test_whoever_answers_is_trusted_only_where_the_stack_says_so(program: Program) -> None:
    row = up(program, admin={"url": "https://kong-admin:8444", "insecure": True, "route": "orders"}, scope="selected")
    access = row["plugin-row"].inputs["endpoint"]
    assert (access["insecure"], access["tokenSecret"], access["caSecret"]) == (True, "", "")
    assert (row["plugin-row"].inputs["route"], row["plugin-row"].inputs["service"]) == ("orders", "")


def test_a_row_of_a_database_that_is_made_here_goes_with_it(program: Program) -> None:
    made = up(program, kong={"createNamespace": True, "postgres": {"managed": True}})
    assert made["plugin-row"].inputs["managedDatabase"] is True
    (asked,) = program.plans
    postgres = asked.gateway.kong.managed_postgres if asked.gateway else None
    assert postgres is not None and postgres.name == "quickstart-postgres"


def test_a_database_that_no_state_knows_is_not_given_another_password(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    from traceable_kong.cluster import target

    told: list[dict[str, Any]] = []
    monkeypatch.setattr(orphaned_releases, "require_database_password", lambda api, **arguments: told.append(arguments))
    made = up(program, kong={"namespace": "gw", "postgres": {"managed": True}})
    monkeypatch.setattr(target.ClusterTarget, "api", object())
    ((occasion, (name,)),) = without_name_check(made["postgres-secret"].hooks).items()
    assert occasion == "before_create"
    asyncio.run(made.hooks[name].callback(None))  # type: ignore[arg-type]
    assert told == [{"namespace": "gw", "name": "quickstart-postgres"}]


def test_the_proof_and_preflight_ask_about_the_row(program: Program) -> None:
    up(program, admin={"tokenSecret": {"name": "rbac", "key": "token"}, "clientCertificateSecret": "client"})
    (expected,) = program.asked_for
    (asked,) = program.plans
    assert asked.desired == expected and asked.gateway is not None
    assert expected.plugin.custom_resource is None and expected.plugin.entity is not None
    assert asked.gateway.database_mode == "postgres"


def test_without_a_database_nothing_of_it_is_asked(program: Program) -> None:
    program.up()
    assert program.asked_for[0].plugin.entity is None


def test_the_record_says_what_stands_and_no_secret(program: Program) -> None:
    made = up(program, admin={"tokenSecret": {"name": "rbac", "key": "token"}})
    data = made["installation-record"].inputs["data"]
    assert data["database"] == "postgres" and "pluginObject" not in data
    assert (
        '"tokenSecret": "rbac/token"' in data["adminApi"]
        and '"owner": "traceable-kong.test-0a1b2c3d"' in data["pluginEntity"]
    )


def test_a_persons_way_to_the_row_is_its_tag(program: Program) -> None:
    from tests.plan.test_stack_plan import OWNER, ROCK
    from tests.plan.test_stack_plan import json as text
    from traceable_kong.config.parser import parse
    from traceable_kong.plan.stack_plan import plan

    given = {"agentToken": "t", "plugin": text.dumps({"rock": "x"}), "kong": text.dumps(KONG)}
    outputs = plan(parse(given, secret_paths=[("agentToken",)]), ROCK, OWNER).outputs
    assert (outputs["workspace"], outputs["pluginTag"]) == ("default", f"traceable-kong:{OWNER}")
    assert "plugin" not in outputs


def test_where_traceable_leaves_the_row_goes_before_the_files(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    from traceable_kong.cluster import target

    asked: list[object] = []
    monkeypatch.setattr(plugin_removal, "remove_plugin_entity", lambda api, entity: asked.append(entity))
    made = up(program, installed=False, enabled=False)
    assert "plugin-row" not in made.names
    monkeypatch.setattr(target.ClusterTarget, "api", object())
    (name,) = made["gateway-release"].hooks["before_update"]
    monkeypatch.setattr("traceable_kong.hooks.rollout_monitor.RolloutMonitor.start", lambda self: None)
    asyncio.run(made.hooks[name].callback(None))  # type: ignore[arg-type]
    assert asked == [program.asked_for[0].plugin.entity]


def test_somebody_elses_kong_with_a_database(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    from traceable_kong.cluster import target

    monkeypatch.setattr(target.ClusterTarget, "selector_of", lambda *_: {"matchLabels": {"app": "edge"}})
    kong = {"install": False, "namespace": "gw", "deployment": "edge", "container": "kong", "database": "postgres"}
    made = program.up(kong=kong)
    assert made.waits_for("plugin-row", "gateway-files") and made.waits_for("installation-record", "plugin-row")
    access = made["plugin-row"].inputs["endpoint"]
    assert (access["namespace"], access["deployment"], access["container"]) == ("gw", "edge", "kong")
