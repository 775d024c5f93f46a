"""Kong's part of the plan: names, files and database."""

from typing import Any

import pytest

from tests.fakes.plans import ROCK, gateway, plan
from tests.fakes.program import Program
from traceable_kong.config.parser import ConfigError
from traceable_kong.helm_values.kong_database import ExternalPostgres
from traceable_kong.plan.kong_model import ManagedKong
from traceable_kong.plugin.rock import Rock

EXTERNAL: dict[str, Any] = {
    "createNamespace": False,
    "database": "postgres",
    "postgres": {"host": "db", "port": "5433", "passwordSecret": {"name": "pg", "key": "word"}},
}
MANAGED: dict[str, Any] = {"database": "postgres", "postgres": {"managed": True}}


def kong(*, rock: Rock = ROCK, **config: Any) -> ManagedKong:
    made = gateway(rock=rock, **config).kong
    assert isinstance(made, ManagedKong)
    return made


def environment(made: ManagedKong) -> dict[str, Any]:
    return dict(made.release.values["env"])


def test_the_deployment_is_named_by_release_and_values() -> None:
    made = kong(kong={"release": "edge", "namespace": "gw"}, kongValues={"nameOverride": "proxy"})
    assert str(made.deployment) == "gw/edge-proxy"
    assert (made.release.namespace, made.release.name) == ("gw", "edge")


def test_every_plugin_of_the_rock_is_mounted() -> None:
    plugins = {**ROCK.plugins, "traceable-ai-extension": {"handler.lua": b"", "schema.lua": b""}}
    rock = Rock(version="2.3.0-1", sha256="d" * 64, plugins=plugins)
    made = kong(rock=rock, plugin={"rock": "x", "version": "2.3.0-1"})
    mounted = made.release.values["plugins"]["configMaps"]
    assert [entry["pluginName"] for entry in mounted] == ["traceable", "traceable-ai-extension"]


def test_values_that_contradict_the_config_are_refused() -> None:
    with pytest.raises(ConfigError):
        plan(kongValues={"forceUpdate": True})


def test_the_problems_of_both_charts_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        plan(kongValues={"env": "x", "forceUpdate": True}, agentValues={"injector": 1, "forceUpdate": True})
    keys = {problem.key for problem in refused.value.problems}
    expected = {f"{chart}Values.forceUpdate" for chart in ("kong", "agent")}
    assert keys == expected | {"kongValues.env", "agentValues.injector"}
    assert str(refused.value).startswith("The stack's config has 4 problems. Nothing was changed.\n")


def test_an_external_database_is_named_in_the_chart() -> None:
    made = kong(kong=EXTERNAL)
    assert isinstance(made.database, ExternalPostgres) and made.managed_postgres is None
    env = environment(made)
    assert (env["pg_host"], env["pg_port"], env["pg_ssl"], env["pg_user"]) == ("db", "5433", "on", "kong")
    assert env["pg_password"] == {"valueFrom": {"secretKeyRef": {"name": "pg", "key": "word"}}}


def test_kong_uses_the_managed_database() -> None:
    made = kong(kong={"namespace": "gw", "release": "edge", **MANAGED})
    assert made.managed_postgres is not None
    assert (made.managed_postgres.namespace, made.managed_postgres.name) == ("gw", "edge-postgres")
    env = environment(made)
    assert (env["pg_host"], env["pg_port"], env["pg_ssl"]) == ("edge-postgres.gw.svc", "5432", "off")
    assert env["pg_password"]["valueFrom"]["secretKeyRef"] == {"name": "edge-postgres", "key": "password"}


def test_uninstalling_traceable_keeps_the_database() -> None:
    assert kong(kong=MANAGED, enabled=False, installed=False).managed_postgres is not None


def test_without_a_database_there_is_none() -> None:
    assert kong().database is None and environment(kong()) == {"database": "off"}
    assert gateway(kong={"install": False, "database": "postgres"}).kong.managed_postgres is None


def test_a_release_name_that_is_too_long_for_the_migration_jobs_is_refused() -> None:
    long = {"release": "r" * 35}
    with pytest.raises(ConfigError, match="SHORTER, or"):
        plan(kong={**long, **MANAGED})
    plan(kong=long)
    plan(kong={**long, **MANAGED}, kongValues={"fullnameOverride": "edge"})


def test_the_database_comes_before_kong_and_after_its_namespace(program: Program) -> None:
    made = program.up(kong=MANAGED)
    assert made.waits_for("traceable-gateway-release", "traceable-postgres-stateful-set")
    for name in ("traceable-postgres-secret", "traceable-postgres-service", "traceable-postgres-stateful-set"):
        assert made.waits_for(name, "traceable-kong-namespace")
    secret = {name for name, path, _ in made.secrets() if path != ("__provider",)}
    assert secret == {"traceable-postgres-secret", "traceable-stack-id"}
