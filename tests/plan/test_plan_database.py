"""What the settings about Kong's database come to, and where it has its place in the program."""

import json
import shlex
from typing import Any

import pytest

from tests.fakes.program import Program
from tests.plan.test_stack_plan import OWNER, ROCK
from traceable_kong.config import parser
from traceable_kong.helm_values.kong_conflicts import KongValuesError
from traceable_kong.plan.component_args import KongGatewayArgs, ManagedPostgresArgs
from traceable_kong.plan.stack_plan import Plan, plan

THEIRS = {"host": "db", "port": "5433", "passwordSecret": {"name": "pg", "key": "word"}}


def planned(**config: object) -> Plan:
    given = {"agentToken": "t", "plugin": {"rock": "x.rock"}, **config}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    return plan(parser.parse(texts, secret_paths=[("agentToken",)]), ROCK, OWNER, stack="org/dev")


def environment(made: Plan) -> dict[str, Any]:
    assert isinstance(made.gateway.args, KongGatewayArgs)
    return dict(made.gateway.args.values["env"])


def test_a_database_that_exists_is_named_in_the_chart_and_not_made() -> None:
    made = planned(kong={"createNamespace": False, "database": "postgres", "postgres": THEIRS})
    assert made.gateway.postgres is None
    env = environment(made)
    assert (env["pg_host"], env["pg_port"], env["pg_ssl"], env["pg_user"]) == ("db", "5433", "on", "kong")
    assert env["pg_password"] == {"valueFrom": {"secretKeyRef": {"name": "pg", "key": "word"}}}


def test_a_database_that_is_made_here_is_the_one_that_kong_uses() -> None:
    made = planned(kong={"namespace": "gw", "release": "edge", "database": "postgres", "postgres": {"managed": True}})
    database = made.gateway.postgres
    assert isinstance(database, ManagedPostgresArgs)
    assert (database.postgres.namespace, database.postgres.name) == ("gw", "edge-postgres")
    assert database.labels["traceable-kong/stack"] == OWNER
    env = environment(made)
    assert (env["pg_host"], env["pg_port"], env["pg_ssl"]) == ("edge-postgres.gw.svc", "5432", "off")
    assert env["pg_password"]["valueFrom"]["secretKeyRef"] == {"name": "edge-postgres", "key": "password"}


def test_the_database_stays_with_kong_when_traceable_leaves() -> None:
    kong = {"database": "postgres", "postgres": {"managed": True}}
    assert planned(kong=kong, enabled="false", installed="false").gateway.postgres is not None


def test_a_certificate_that_the_stack_names_opens_an_admin_api_that_asks_for_one() -> None:
    kong = {"createNamespace": False, "database": "postgres", "postgres": THEIRS}
    asking = {"admin": {"tls": {"client": {"secretName": "authority"}}}}
    with pytest.raises(KongValuesError, match=r"kong\.admin\.clientCertificateSecret"):
        planned(kong=kong, kongValues=asking)
    planned(kong={**kong, "admin": {"clientCertificateSecret": "client"}}, kongValues=asking)


def test_without_a_database_there_is_none() -> None:
    made = planned()
    assert made.gateway.postgres is None and environment(made) == {"database": "off"}


def test_somebody_elses_kong_has_its_owners_database() -> None:
    assert planned(kong={"install": False, "database": "postgres"}).gateway.postgres is None


def test_a_release_that_leaves_no_room_for_the_migrations_jobs_is_refused() -> None:
    kong = {"release": "r" * 35, "database": "postgres", "postgres": {"managed": True}}
    with pytest.raises(KongValuesError, match="to a shorter name"):
        planned(kong=kong)
    planned(kong={"release": "r" * 35})
    planned(kong=kong, kongValues={"fullnameOverride": "edge"})


def test_the_database_comes_before_kong_and_after_its_namespace(program: Program) -> None:
    made = program.up(kong={"database": "postgres", "postgres": {"managed": True}})
    assert made.waits_for("gateway-release", "postgres-stateful-set")
    for name in ("postgres-secret", "postgres-service", "postgres-stateful-set"):
        assert made.waits_for(name, "kong-namespace")
    hidden = {name for name, path, _ in made.secrets() if path != ("__provider",)}
    assert hidden == {"postgres-secret"}


@pytest.mark.parametrize(
    "admin",
    [
        {"url": "https://kong.example.com:8444"},
        {"tokenSecret": {"name": "kong-admin", "key": "token"}},
        {"clientCertificateSecret": "kong-admin-client"},
    ],
)
def test_who_verifies_asks_the_stack_where_the_admin_api_is_and_what_it_is_shown(admin: dict[str, Any]) -> None:
    made = planned(kong={"createNamespace": False, "database": "postgres", "postgres": THEIRS, "admin": admin})
    assert shlex.split(made.outputs["verify"]) == [".venv/bin/python", "verify.py", "--stack", "org/dev"]
    assert (
        "--namespace"
        in planned(kong={"createNamespace": False, "database": "postgres", "postgres": THEIRS}).outputs["verify"]
    )
