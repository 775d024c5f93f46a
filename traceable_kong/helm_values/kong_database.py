"""The database of a managed Kong in the chart values, and values in `kongValues` that conflict with it.

Facts of the kong chart 3.4.1 and of Kong's configuration
(https://developer.konghq.com/gateway/configuration/#postgres-settings).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.common.nested_data import Values, merged
from traceable_kong.config.config_problem import Problem, shown
from traceable_kong.helm_values.chart_environment import environment

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
    """`values` merged over the values for the database; None is a Kong without one."""
    return merged(database_values(database) if database else {"env": {"database": "off"}}, values)


def database_conflicts(values: Mapping[str, Any], database: Postgres | None) -> Iterator[Problem]:
    """What in `values`, with the chart's types, sets another database or skips the migrations."""
    if (values.get("postgresql") or {}).get("enabled"):
        yield Problem(
            "kongValues.postgresql.enabled",
            "requests the PostgreSQL of the chart, which Helm would install and delete together with Kong",
            f"{config_remove('kongValues.postgresql.enabled')}, then "
            f"{config_set('kong.postgres.host', 'HOST')} for an existing database; or for a development database "
            f"{config_set('kong.postgres.managed', 'true')}",
        )
    yield from _other_variables(values, database)
    if isinstance(database, ManagedPostgres):
        for name in _MIGRATIONS:
            if (values.get("migrations") or {}).get(name, True) is False:
                where = f"kongValues.migrations.{name}"
                yield Problem(
                    where,
                    "is false, but only these migrations prepare the managed database (kong.postgres.managed): Kong "
                    "would not start",
                    config_remove(where),
                )


def long_name(fullname: str) -> Iterator[Problem]:
    """The problem with a name with which the chart's migration Jobs would have too long names."""
    limit = _JOB_NAME_LIMIT - len(_JOB_SUFFIX)
    if len(fullname) > limit:
        yield Problem(
            "kong.release",
            f"gives Kong's Deployment the name {fullname!r}. With a database the chart creates a Job "
            f"{fullname + _JOB_SUFFIX!r}, but the name of a Job has at most {_JOB_NAME_LIMIT} characters",
            f"{config_set('kong.release', 'SHORTER')}, or {config_set('kongValues.fullnameOverride', 'NAME')} with at "
            f"most {limit} characters",
        )


def _other_variables(values: Mapping[str, Any], database: Postgres | None) -> Iterator[Problem]:
    expected = dict(_expected(database))
    for where, variable, value in environment(values):
        if variable not in expected:
            continue
        key, wanted = expected[variable]
        if _plain(value) == wanted:
            continue
        fix = f"{config_remove(where)}: {_reason(database, key)}"
        if variable == "KONG_PG_PASSWORD":
            # The value is not shown.
            yield Problem(
                where,
                "does not name the Secret with the password for kong.postgres: Kong could get another password, or the "
                "password would be in the state and in Helm's history as plain text",
                fix,
            )
        else:
            yield Problem(
                where,
                f"is {shown(value)}, but this program needs {shown(wanted)}: Kong would use another database than the "
                "one in the stack config",
                fix,
            )


def _reason(database: Postgres | None, key: str) -> str:
    if isinstance(database, ManagedPostgres) and key != "kong.database":
        return "kong.postgres.managed is true, so this program sets it"
    return f"use traceable-kong:{key} instead"


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
