"""Kong's database in the chart values, and user values that conflict with it."""

from typing import Any

import pytest

from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.helm_values.kong_database import (
    ExternalPostgres,
    ManagedPostgres,
    Postgres,
    database_values,
    long_name,
    with_database,
)
from traceable_kong.helm_values.kong_values import kong_value_problems, kong_values

EXTERNAL = ExternalPostgres(
    host="db.example.com",
    port=5433,
    database="gateway",
    user="kong",
    password_secret=SecretKey(name="pg", key="password"),
    tls=True,
)
MANAGED = ManagedPostgres(namespace="gw", name="edge-postgres")
REFERENCE = {"valueFrom": {"secretKeyRef": {"name": "pg", "key": "password"}}}


def values(database: Postgres | None = EXTERNAL, **user_values: Any) -> dict[str, Any]:
    return kong_values(user_values, plugin_entries=[], ingress_class="kong", database=database)


def problems(database: Postgres | None, user_values: dict[str, Any]) -> list[str]:
    found = kong_value_problems(user_values, database)
    return [f"{problem.key} {problem.problem} -> {problem.fix}" for problem in found]


def refusal(database: Postgres | None = EXTERNAL, **user_values: Any) -> str:
    (problem,) = problems(database, user_values)
    return problem


def test_the_values_name_the_database_and_never_the_password() -> None:
    assert values()["env"] == {
        "database": "postgres",
        "pg_host": "db.example.com",
        "pg_port": "5433",
        "pg_database": "gateway",
        "pg_user": "kong",
        "pg_password": REFERENCE,
        "pg_ssl": "on",
    }
    assert values(MANAGED)["env"]["pg_ssl"] == "off"
    assert values(None)["env"] == {"database": "off"}


def test_other_settings_of_postgres_stay() -> None:
    env = values(env={"pg_timeout": 5000, "pg_ssl_verify": "on", "log_level": "info"})["env"]
    assert (env["pg_timeout"], env["pg_ssl_verify"], env["log_level"]) == (5000, "on", "info")
    assert env["pg_host"] == "db.example.com"


@pytest.mark.parametrize(
    "repeated",
    [
        {"env": {"pg_host": "db.example.com", "pg_port": 5433, "pg_ssl": True, "database": "postgres"}},
        {"env": {"PG_HOST": "db.example.com", "pg_password": REFERENCE}},
        {"customEnv": {"kong_pg_user": "kong"}},
    ],
)
def test_the_same_settings_are_accepted(repeated: dict[str, Any]) -> None:
    assert problems(EXTERNAL, repeated) == []


@pytest.mark.parametrize(
    ("user_values", "said"),
    [
        ({"env": {"pg_host": "other"}}, "use traceable-kong:kong.postgres.host instead"),
        ({"env": {"PG_HOST": "other"}}, "kongValues.env.PG_HOST is 'other'"),
        ({"env": {"pg_port": 5432}}, "kongValues.env.pg_port is 5432, but this program needs '5433'"),
        ({"env": {"pg_database": "kong"}}, "traceable-kong:kong.postgres.database"),
        ({"env": {"pg_user": {"valueFrom": {}}}}, "traceable-kong:kong.postgres.user"),
        ({"env": {"pg_ssl": "off"}}, "traceable-kong:kong.postgres.tls"),
        ({"env": {"pg_ssl": False}}, "traceable-kong:kong.postgres.tls"),
        ({"customEnv": {"KONG_PG_HOST": "other"}}, "kongValues.customEnv.KONG_PG_HOST"),
        ({"env": {"database": "off"}}, "traceable-kong:kong.database"),
        ({"customEnv": {"kong_database": "off"}}, "kongValues.customEnv.kong_database"),
        ({"postgresql": {"enabled": True}}, "pulumi config set --path traceable-kong:kong.postgres.managed true"),
        ({"postgresql": True}, "kongValues.postgresql is true, but the chart expects an object"),
        ({"migrations": []}, "kongValues.migrations is [], but the chart expects an object"),
    ],
)
def test_another_database_is_refused(user_values: dict[str, Any], said: str) -> None:
    assert said in refusal(**user_values)


@pytest.mark.parametrize(
    "password",
    [
        "hidden",
        {"value": "hidden"},
        {"valueFrom": {"secretKeyRef": {"name": "hidden", "key": "password"}}},
    ],
)
def test_a_password_in_the_values_is_refused_and_not_shown(password: object) -> None:
    for said in (refusal(env={"pg_password": password}), refusal(customEnv={"kong_pg_password": password})):
        assert "traceable-kong:kong.postgres.passwordSecret" in said
        assert "hidden" not in said


def test_settings_of_a_managed_database_are_refused() -> None:
    said = refusal(MANAGED, env={"pg_host": "other"})
    assert "kong.postgres.managed is true" in said and "kong.postgres.host" not in said
    assert "kong.postgres.managed is true" in refusal(MANAGED, env={"pg_password": "hidden"})
    assert "traceable-kong:kong.database" in refusal(MANAGED, env={"database": "off"})


@pytest.mark.parametrize("name", ["init", "preUpgrade", "postUpgrade"])
def test_the_migrations_of_a_managed_database_are_required(name: str) -> None:
    assert f"kongValues.migrations.{name} is false" in refusal(MANAGED, migrations={name: False})
    assert problems(MANAGED, {"migrations": {name: True}}) == []
    # Kong does not start before somebody has run them.
    assert problems(EXTERNAL, {"migrations": {name: False}}) == []


def test_the_jobs_of_migrations_are_deleted() -> None:
    assert values()["migrations"]["ttlSecondsAfterFinished"] > 0
    assert values(migrations={"ttlSecondsAfterFinished": 5})["migrations"] == {"ttlSecondsAfterFinished": 5}
    assert "migrations" not in values(None)


def test_a_database_in_db_less_mode_is_refused() -> None:
    assert "traceable-kong:kong.database" in refusal(None, env={"database": "postgres"})
    assert "traceable-kong:kong.database" in refusal(None, customEnv={"kong_database": "postgres"})
    assert values(None, env={"pg_host": "unused"})["env"]["pg_host"] == "unused"


def test_with_a_database_the_controller_is_optional() -> None:
    assert values()["ingressController"] == {"enabled": True, "ingressClass": "kong"}
    assert values(ingressController={"enabled": False})["ingressController"] == {"enabled": False}
    other = {"ingressController": {"enabled": False, "ingressClass": "x", "env": {"ingress_class": "y"}}}
    assert problems(EXTERNAL, other) == []


def test_a_name_that_is_too_long_for_the_jobs_is_refused() -> None:
    assert list(long_name("n" * 39)) == []
    (problem,) = long_name("n" * 40)
    assert "with at most 39 characters" in problem.fix


def test_the_users_values_are_not_changed() -> None:
    user_values: dict[str, Any] = {"env": {"log_level": "info"}, "migrations": {"backoffLimit": 2}}
    with_database(user_values, EXTERNAL)
    assert user_values == {"env": {"log_level": "info"}, "migrations": {"backoffLimit": 2}}
    assert database_values(EXTERNAL)["env"]["pg_password"] == REFERENCE
