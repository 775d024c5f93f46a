"""The rules about Kong's database: one that exists, one that is made here, and one of somebody else's Kong."""

import ipaddress
import re
from collections.abc import Iterator

from traceable_kong.config.config_problem import Problem, config_remove, config_set, rule, shown
from traceable_kong.config.stack_config import PostgresConfig, StackConfig

_HOST_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,251}[A-Za-z0-9])?"


def _postgres(settings: StackConfig) -> PostgresConfig | None:
    """The database of a Kong of ours that has one."""
    kong = settings.kong
    return kong.postgres if kong.install and kong.database == "postgres" else None


@rule
def foreign_database(settings: StackConfig) -> Iterator[Problem]:
    """The database of a Kong that is not ours is its owner's."""
    kong = settings.kong
    if not kong.install and kong.database == "postgres" and kong.postgres is not None:
        yield Problem(
            "kong.postgres",
            "belongs to the owner of the Kong, which is not ours (kong.install false): it would be ignored",
            config_remove("kong.postgres"),
        )


@rule
def database_host(settings: StackConfig) -> Iterator[Problem]:
    """A database is named by its host, and its port has a key of its own."""
    postgres = _postgres(settings)
    if postgres is not None and postgres.host and not _is_host(postgres.host):
        yield Problem(
            "kong.postgres.host",
            f"is {shown(postgres.host)}, which is neither a host's name nor its address: Kong would find no database",
            f"{config_set('kong.postgres.host', 'HOST')}, with port, database, user and password in their own keys",
        )


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(re.fullmatch(_HOST_NAME, text))
    return True


@rule
def database_password(settings: StackConfig) -> Iterator[Problem]:
    """The password of a database that exists is in a Secret."""
    postgres = _postgres(settings)
    if postgres is not None and postgres.host and not postgres.managed and postgres.password_secret is None:
        yield Problem(
            "kong.postgres.passwordSecret",
            "is missing: Kong could not log in to the database",
            f"kubectl --namespace {settings.kong.namespace} create secret generic NAME --from-file=password=FILE, then "
            f"{config_set('kong.postgres.passwordSecret.name', 'NAME')} and "
            f"{config_set('kong.postgres.passwordSecret.key', 'password')}",
        )


@rule
def password_has_a_place(settings: StackConfig) -> Iterator[Problem]:
    """A Secret that exists is in a namespace that exists."""
    postgres = _postgres(settings)
    if postgres is not None and postgres.password_secret is not None and settings.kong.create_namespace:
        namespace = settings.kong.namespace
        yield Problem(
            "kong.createNamespace",
            f"is true, and kong.postgres.passwordSecret is a Secret in {namespace!r} that exists: Kong's pods would "
            "wait for it in a new namespace until Helm gives up",
            f"kubectl create namespace {namespace}, make the Secret there, and "
            + config_set("kong.createNamespace", "false"),
        )


@rule
def managed_database(settings: StackConfig) -> Iterator[Problem]:
    """Keys that belong to a database that exists, where it is made here."""
    postgres = _postgres(settings)
    if postgres is None or not postgres.managed:
        return
    made = PostgresConfig(managed=True, tls=False)
    for name in ("port", "database", "user", "password_secret", "tls"):
        if name in postgres.model_fields_set and getattr(postgres, name) != getattr(made, name):
            key = f"kong.postgres.{PostgresConfig.model_fields[name].alias}"
            yield Problem(
                key,
                "is for a database that exists, and kong.postgres.managed makes one that has its own: it would be "
                "ignored",
                f"{config_remove(key)}, or {config_remove('kong.postgres.managed')}",
            )
