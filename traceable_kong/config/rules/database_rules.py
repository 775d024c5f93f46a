"""The rules about Kong's database."""

from collections.abc import Iterator

from traceable_kong.common.commands import config_set
from traceable_kong.common.urls import is_host
from traceable_kong.config.config_problem import Problem, shown
from traceable_kong.config.kong_config import ExistingPostgresConfig, ManagedPostgresKongConfig
from traceable_kong.config.rule_registry import rule


@rule
def database_host(kong: ManagedPostgresKongConfig) -> Iterator[Problem]:
    """A database server is named by its host; its port has its own key."""
    postgres = kong.postgres
    if isinstance(postgres, ExistingPostgresConfig) and not is_host(postgres.host):
        yield Problem(
            "kong.postgres.host",
            f"is {shown(postgres.host)}, which is neither a host name nor an address: Kong would find no database",
            f"{config_set('kong.postgres.host', 'HOST')}, with port, database, user and password in their own keys",
        )


@rule
def password_secret_can_exist(kong: ManagedPostgresKongConfig) -> Iterator[Problem]:
    """The Secret with the database's password is in a namespace that exists."""
    if isinstance(kong.postgres, ExistingPostgresConfig) and kong.create_namespace:
        secret = kong.postgres.password_secret.name
        yield Problem(
            "kong.createNamespace",
            f"is true, but Secret {secret} of kong.postgres.passwordSecret must exist in namespace {kong.namespace}: "
            "in a new namespace, Kong's pods would wait for it until Helm times out",
            f"kubectl create namespace {kong.namespace}, create the Secret there, and "
            + config_set("kong.createNamespace", "false"),
        )
