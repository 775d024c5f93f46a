"""The database of a Kong that is ours, as the chart's values name it, and the user's values that contradict it. Pure.

Facts of the kong chart 3.4.1 and of Kong's configuration
(https://developer.konghq.com/gateway/configuration/#postgres-settings).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, kw_only=True)
class KongDatabase:
    """Where Kong's PostgreSQL is. `password_secret` and `password_key` name a Secret in Kong's namespace.

    `managed` is one that this program makes.
    """

    host: str
    port: int
    name: str
    user: str
    password_secret: str
    password_key: str
    tls: bool
    managed: bool

    @property
    def password_reference(self) -> Values:
        """Where Kong's pods get the password from, as a container's environment says it."""
        return {"valueFrom": {"secretKeyRef": {"name": self.password_secret, "key": self.password_key}}}


def database_values(database: KongDatabase) -> Values:
    """The chart's values for it: the password by reference, so that neither the state nor Helm's history holds it."""
    return {
        "env": {
            "database": "postgres",
            "pg_host": database.host,
            "pg_port": str(database.port),
            "pg_database": database.name,
            "pg_user": database.user,
            "pg_password": database.password_reference,
            "pg_ssl": "on" if database.tls else "off",
        },
        "migrations": {"ttlSecondsAfterFinished": MIGRATION_JOBS_KEPT_SECONDS},
    }


def with_database(values: Mapping[str, Any], database: KongDatabase | None) -> Values:
    """`values` with the database below them; None is a Kong without one.

    Raises KongValuesError where `values`, of the chart's shapes, name another database or leave this one unprepared.
    """
    _refuse_the_charts_own(values)
    _refuse_other_variables(values, database)
    if database is None:
        return merged({"env": {"database": "off"}}, values)
    if database.managed:
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


def _refuse_other_variables(values: Mapping[str, Any], database: KongDatabase | None) -> None:
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


def _instead(database: KongDatabase | None, key: str) -> str:
    if database is not None and database.managed and key != "kong.database":
        return "kong.postgres.managed is true, so this program makes the database and knows it."
    return f"that is what traceable-kong:{key} is for."


def _expected(database: KongDatabase | None) -> Iterator[tuple[str, tuple[str, Any]]]:
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
