"""The database of a Kong that is ours, as the chart's values name it, and the user's values that contradict it. Pure.

Facts of the kong chart 3.4.1 and of Kong's configuration
(https://developer.konghq.com/gateway/configuration/#postgres-settings).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from traceable_kong.cluster.secret_key import SecretKey
from traceable_kong.common.nested_data import Values, merged
from traceable_kong.helm_values.kong_conflicts import KongValuesError, environment

MIGRATION_JOBS_KEPT_SECONDS = 600
"""How long a migration's Job stays when it has ended. The chart keeps those that are hooks for ever, and Helm's
uninstall leaves them behind (https://helm.sh/docs/topics/charts_hooks/#hook-resources-are-not-managed-with-corresponding-releases)."""

_JOB_SUFFIX = "-post-upgrade-migrations"
"""The longest that the chart puts behind a Job's name."""

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
    """The chart's values for it: the password by reference, so that neither the state nor Helm's history holds it."""
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
    """`values` with the database below them; None is a Kong without one.

    Raises KongValuesError where `values`, of the chart's shapes, name another database or leave this one unprepared.
    """
    _refuse_the_charts_own(values)
    _refuse_other_variables(values, database)
    if database is None:
        return merged({"env": {"database": "off"}}, values)
    if isinstance(database, ManagedPostgres):
        _refuse_no_migrations(values)
    return merged(database_values(database), values)


def refuse_long_name(fullname: str) -> None:
    """Raises KongValuesError where the names of the chart's migration Jobs would be too long."""
    limit = _JOB_NAME_LIMIT - len(_JOB_SUFFIX)
    if len(fullname) > limit:
        raise KongValuesError(
            f"Kong's Deployment would be {fullname!r}: with a database the chart makes a Job "
            f"{fullname + _JOB_SUFFIX!r}, and a Job's name has {_JOB_NAME_LIMIT} characters at most. Set "
            "traceable-kong:kong.release to a shorter name, or kongValues.fullnameOverride to one of at most "
            f"{limit} characters."
        )


def _refuse_the_charts_own(values: Mapping[str, Any]) -> None:
    if (values.get("postgresql") or {}).get("enabled"):
        raise KongValuesError(
            "kongValues.postgresql.enabled asks for the PostgreSQL that the chart brings along, which Helm would "
            "install and remove together with Kong. Take it out; for development set "
            "traceable-kong:kong.postgres.managed to true, otherwise name a database that exists in "
            "traceable-kong:kong.postgres.host."
        )


def _refuse_no_migrations(values: Mapping[str, Any]) -> None:
    for name in _MIGRATIONS:
        if (values.get("migrations") or {}).get(name, True) is False:
            raise KongValuesError(
                f"kongValues.migrations.{name} is false, and nobody else prepares the database that this program makes "
                "(kong.postgres.managed): Kong would not start. Take it out."
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
            # Whatever stands there is not shown.
            raise KongValuesError(
                f"{where} is another password than the one that the stack names, or one in plain text, which would "
                "stand in the Release's values, in the state and in Helm's history. Take it out: "
                + _instead(database, key)
            )
        raise KongValuesError(
            f"{where} is {value!r}, where this program needs {wanted!r}: Kong would use another database than the one "
            f"that the stack names. Take it out: {_instead(database, key)}"
        )


def _instead(database: Postgres | None, key: str) -> str:
    if isinstance(database, ManagedPostgres) and key != "kong.database":
        return "kong.postgres.managed is true, so this program makes the database and knows it."
    return f"that is what traceable-kong:{key} is for."


def _expected(database: Postgres | None) -> Iterator[tuple[str, tuple[str, Any]]]:
    """Each variable with its key in the stack file, and its value."""
    if database is None:
        yield "KONG_DATABASE", ("kong.database", "off")
        return
    keys = {"database": "kong.database", "pg_password": "kong.postgres.passwordSecret", "pg_ssl": "kong.postgres.tls"}
    for name, value in database_values(database)["env"].items():
        yield f"KONG_{name}".upper(), (keys.get(name, f"kong.postgres.{name.removeprefix('pg_')}"), value)


def _plain(value: object) -> object:
    """As the chart writes it into the environment; what YAML 1.1 takes for true and false comes as that."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value) if isinstance(value, int | float) else value
