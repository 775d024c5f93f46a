"""The database of a managed Kong in the chart values, and values in `kongValues` that conflict with it.

Facts of the kong chart 3.4.1 and of Kong's configuration
(https://developer.konghq.com/gateway/configuration/#postgres-settings).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.commands import config_remove
from traceable_kong.common.nested_data import Values, merged
from traceable_kong.helm_values.chart_environment import environment
from traceable_kong.helm_values.kong_conflicts import KongValuesError

MIGRATION_JOBS_KEPT_SECONDS = 600
"""How long the Job of a migration stays after it has ended. The chart never deletes those that are hooks, and Helm's
uninstall does not either
(https://helm.sh/docs/topics/charts_hooks/#hook-resources-are-not-managed-with-corresponding-releases)."""

_JOB_SUFFIX = "-post-upgrade-migrations"
"""The longest suffix of a Job's name in the chart."""

_JOB_NAME_LIMIT = 63
"""A Job's name is a label of its pods (https://kubernetes.io/docs/concepts/workloads/controllers/job/)."""

_MIGRATIONS = ("init", "preUpgrade", "postUpgrade")


_STATEFUL_SET_NAME_LIMIT = 52
"""A StatefulSet's name, ten characters more with a revision, is a label of its pods
(https://github.com/kubernetes/kubernetes/issues/64023)."""

_POSTGRES_SUFFIX = "-postgres"


@dataclass(frozen=True, kw_only=True)
class ExternalPostgres:
    """A PostgreSQL that is not managed by this stack; the Secret with its password is in Kong's namespace."""

    host: str
    port: int
    database: str
    user: str
    password_secret: SecretKey
    tls: bool


@dataclass(frozen=True, kw_only=True)
class ManagedPostgres:
    """A PostgreSQL that this stack creates; its Secret, Service and StatefulSet have the name `name`."""

    namespace: str
    name: str

    port: ClassVar[int] = 5432
    database: ClassVar[str] = "kong"
    user: ClassVar[str] = "kong"
    tls: ClassVar[bool] = False

    @property
    def host(self) -> str:
        return f"{self.name}.{self.namespace}.svc"

    @property
    def password_secret(self) -> SecretKey:
        return SecretKey(name=self.name, key="password")


Postgres = ManagedPostgres | ExternalPostgres


def postgres_name(release: str) -> str:
    """The name of the managed PostgreSQL for the Kong with the Helm release `release`."""
    return release[: _STATEFUL_SET_NAME_LIMIT - len(_POSTGRES_SUFFIX)].rstrip("-") + _POSTGRES_SUFFIX


def database_values(database: Postgres) -> Values:
    """The chart values for a database; the password is a reference, so that state and Helm history do not have it."""
    password = database.password_secret
    return {
        "env": {
            "database": "postgres",
            "pg_host": database.host,
            "pg_port": str(database.port),
            "pg_database": database.database,
            "pg_user": database.user,
            "pg_password": {"valueFrom": {"secretKeyRef": {"name": password.name, "key": password.key}}},
            "pg_ssl": "on" if database.tls else "off",
        },
        "migrations": {"ttlSecondsAfterFinished": MIGRATION_JOBS_KEPT_SECONDS},
    }


def with_database(values: Mapping[str, Any], database: Postgres | None) -> Values:
    """`values` merged over the values for the database; None is a Kong without one.

    Raises KongValuesError where `values`, with the chart's types, set another database or skip the migrations.
    """
    _refuse_database_of_the_chart(values)
    _refuse_other_variables(values, database)
    if database is None:
        return merged({"env": {"database": "off"}}, values)
    if isinstance(database, ManagedPostgres):
        _require_migrations(values)
    return merged(database_values(database), values)


def refuse_long_name(fullname: str) -> None:
    """Raises KongValuesError for a name with which the chart's migration Jobs would have too long names."""
    limit = _JOB_NAME_LIMIT - len(_JOB_SUFFIX)
    if len(fullname) > limit:
        raise KongValuesError(
            f"Kong's Deployment would be {fullname!r}. With a database the chart creates a Job "
            f"{fullname + _JOB_SUFFIX!r}, but the name of a Job has at most {_JOB_NAME_LIMIT} characters. Set "
            "traceable-kong:kong.release to a shorter name, or kongValues.fullnameOverride to one of at most "
            f"{limit} characters."
        )


def _refuse_database_of_the_chart(values: Mapping[str, Any]) -> None:
    if (values.get("postgresql") or {}).get("enabled"):
        raise KongValuesError(
            "kongValues.postgresql.enabled requests the PostgreSQL of the chart, which Helm would install and delete "
            "together with Kong. Remove it. For development set traceable-kong:kong.postgres.managed to true; "
            "otherwise set traceable-kong:kong.postgres.host to an existing database."
        )


def _require_migrations(values: Mapping[str, Any]) -> None:
    for name in _MIGRATIONS:
        if (values.get("migrations") or {}).get(name, True) is False:
            raise KongValuesError(
                f"kongValues.migrations.{name} is false, but only these migrations prepare the managed database "
                "(kong.postgres.managed). Kong would not start. "
                f"Remove it: `{config_remove(f'kongValues.migrations.{name}')}`."
            )


def _refuse_other_variables(values: Mapping[str, Any], database: Postgres | None) -> None:
    expected = dict(_expected(database))
    for where, variable, value in environment(values):
        if variable not in expected:
            continue
        key, wanted = expected[variable]
        if _plain(value) == wanted:
            continue
        if variable == "KONG_PG_PASSWORD":
            # The value is not shown.
            raise KongValuesError(
                f"{where} does not name the Secret with the password for kong.postgres. Kong could get another "
                "password, or the password would be in the state and in Helm's history as plain text. Remove it: "
                f"{_reason(database, key)}"
            )
        raise KongValuesError(
            f"{where} is {value!r}, but this program needs {wanted!r}. Kong would use another database than the one in "
            f"the stack config. Remove it: {_reason(database, key)}"
        )


def _reason(database: Postgres | None, key: str) -> str:
    if isinstance(database, ManagedPostgres) and key != "kong.database":
        return "kong.postgres.managed is true, so this program sets it."
    return f"use traceable-kong:{key} instead."


def _expected(database: Postgres | None) -> Iterator[tuple[str, tuple[str, Any]]]:
    """(variable, (its key in the stack config, its value))."""
    if database is None:
        yield "KONG_DATABASE", ("kong.database", "off")
        return
    keys = {"database": "kong.database", "pg_password": "kong.postgres.passwordSecret", "pg_ssl": "kong.postgres.tls"}
    for name, value in database_values(database)["env"].items():
        yield f"KONG_{name}".upper(), (keys.get(name, f"kong.postgres.{name.removeprefix('pg_')}"), value)


def _plain(value: object) -> object:
    """The value as the chart writes it into the environment; YAML 1.1 reads `on` and `off` as true and false."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if isinstance(value, int | float) else value
