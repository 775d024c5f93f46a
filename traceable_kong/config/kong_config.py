"""Kong in the config: managed by this stack or existing, each with or without a PostgreSQL database."""

from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from traceable_kong.common.commands import config_remove, config_set
from traceable_kong.config.config_types import (
    AlwaysFalse,
    AlwaysTrue,
    ChartConfig,
    Filled,
    Name,
    Number,
    ObjectName,
    Part,
    Seconds,
    SecretReference,
    Switch,
    Values,
    Variant,
    WholeNumber,
    Word,
    chart_of,
    is_switched,
)

KONG_REPOSITORY = "https://charts.konghq.com"

WORKSPACE = r"^[-._~a-zA-Z0-9]+$"
"""Names of workspaces (https://developer.konghq.com/gateway/entities/workspace/)."""


class ExistingPostgresConfig(Part):
    """A PostgreSQL server that exists."""

    variants: ClassVar[dict[str, Variant]] = {
        "managed": Variant(
            "an existing database", "kong.postgres.managed: false", config_remove("kong.postgres.managed")
        )
    }

    managed: AlwaysFalse = Field(
        default=False,
        description="True: this stack runs a PostgreSQL server for development. `pulumi destroy` deletes its data.",
    )
    host: Filled = Field(description="Host name or address of the server.")
    port: Number = Field(default=5432, ge=1, le=65_535, description="Port of the server.")
    database: Filled = Field(default="kong", description="Name of the database.")
    user: Filled = Field(default="kong", description="Name of the user.")
    password_secret: SecretReference = Field(description="The Secret in Kong's namespace that holds the password.")
    tls: Switch = Field(default=True, description="Whether Kong uses TLS to the server.")


class ManagedPostgresConfig(Part):
    """A PostgreSQL server that this stack runs, for development. Its port, names and TLS are fixed."""

    variants: ClassVar[dict[str, Variant]] = {"managed": Variant("a managed database", "kong.postgres.managed: true")}

    managed: AlwaysTrue
    port: Annotated[Literal[5432], WholeNumber] = 5432
    database: Literal["kong"] = "kong"
    user: Literal["kong"] = "kong"
    tls: AlwaysFalse = False


def postgres_variant(value: object) -> str:
    """The class that a `kong.postgres` object of the stack file belongs to."""
    return (ManagedPostgresConfig if is_switched(value, "managed", True) else ExistingPostgresConfig).__name__


PostgresConfig = Annotated[
    Annotated[ExistingPostgresConfig, Tag("ExistingPostgresConfig")]
    | Annotated[ManagedPostgresConfig, Tag("ManagedPostgresConfig")],
    Discriminator(postgres_variant),
]


class AdminApiConfig(Part):
    """Kong's Admin API. Every Secret is in Kong's namespace and is read each time the Admin API is used."""

    url: str | None = Field(default=None, description="URL of the Admin API. Unset: a port-forward into a Kong pod.")
    token_secret: SecretReference | None = Field(default=None, description="The Secret with the Kong-Admin-Token.")
    ca_secret: SecretReference | None = Field(
        default=None, description="The Secret with the CA of its certificate. Unset: the CAs of the system."
    )
    client_certificate_secret: ObjectName | None = Field(
        default=None, description="A Secret of type kubernetes.io/tls with the client certificate."
    )
    insecure: Switch = Field(default=False, description="True: the certificate of the Admin API is not verified.")
    workspace: Annotated[str, Field(pattern=WORKSPACE), Word] = Field(default="default", description="The workspace.")
    adopt: Switch = Field(
        default=False, description="True: adopt a plugin entity that exists; it is deleted with the stack."
    )
    route: Annotated[str, Word] | None = Field(
        default=None, description="With scope selected: the route that is protected, by name or id."
    )
    service: Annotated[str, Word] | None = Field(
        default=None, description="Or the service that is protected. Set exactly one of the two."
    )


class KongConfig(Part):
    """What every Kong has."""

    namespace: Name = Field(default="kong", description="Namespace of Kong.")
    ingress_class: ObjectName = Field(default="kong", description="Ingress class of the gateway.")
    timeout_seconds: Seconds = Field(default=600, description="How long a rollout of the gateway may take.")


class ManagedKongConfig(KongConfig):
    """A Kong that this stack installs by its Helm chart."""

    variants: ClassVar[dict[str, Variant]] = {"install": Variant("a managed Kong", "kong.install: true")}

    install: AlwaysTrue = Field(default=True, description="False: use a Kong that exists and is not managed here.")
    create_namespace: Switch = Field(default=True, description="False: the namespace exists.")
    release: Name = Field(default="quickstart", max_length=53, description="Name of the Helm release.")
    adopt: Switch = Field(default=False, description="True: adopt the Helm release that was installed by hand.")
    protect: Switch | None = Field(
        default=None,
        description="True: `pulumi destroy`, and everything else that would delete the gateway, its namespace or its "
        "managed database, is refused. Unset: as kong.adopt.",
    )
    chart: Annotated[ChartConfig, chart_of(KONG_REPOSITORY, "kong")] = Field(
        default=ChartConfig(repository=KONG_REPOSITORY, name="kong", version="3.4.1"),
        description="Where the chart comes from.",
    )
    values: Values = Field(default={}, alias="kongValues", description="Your own values for Kong's chart.")

    @property
    def protected(self) -> bool:
        """Whether it is protected against deletion."""
        return self.adopt if self.protect is None else self.protect


class ExistingKongConfig(KongConfig):
    """A Kong in the cluster that this stack does not manage."""

    variants: ClassVar[dict[str, Variant]] = {
        "install": Variant("an existing Kong", "kong.install: false", config_set("kong.install", "false"))
    }

    install: AlwaysFalse
    deployment: ObjectName = Field(default="ingress-kong", description="Name of the Deployment.")
    container: Name | None = Field(default=None, description="Name of the Kong container. Unset: `proxy`.")
    files_mounted_by: Literal["stack", "owner"] = Field(
        default="stack",
        description="Who mounts the plugin's files: `stack` adds them to the Deployment; `owner`: the owner's Helm "
        "values mount them, and this stack does not change the Deployment.",
    )


class DbLessKongConfig(KongConfig):
    """A Kong without a database. The plugin is a KongClusterPlugin."""

    variants: ClassVar[dict[str, Variant]] = {"database": Variant("Kong without a database", "kong.database: off")}

    database: Literal["off"] = Field(default="off", description="Whether Kong has a database.")


class PostgresKongConfig(KongConfig):
    """A Kong with a PostgreSQL database. The plugin is a plugin entity, written through the Admin API."""

    variants: ClassVar[dict[str, Variant]] = {
        "database": Variant("Kong with a database", "kong.database: postgres", config_set("kong.database", "postgres"))
    }

    database: Literal["postgres"]
    admin: AdminApiConfig = Field(default=AdminApiConfig(), description="Kong's Admin API.")


class ManagedDbLessKongConfig(DbLessKongConfig, ManagedKongConfig):
    pass


class ManagedPostgresKongConfig(PostgresKongConfig, ManagedKongConfig):
    postgres: PostgresConfig = Field(description="Kong's database.")


class ExistingDbLessKongConfig(DbLessKongConfig, ExistingKongConfig):
    pass


class ExistingPostgresKongConfig(PostgresKongConfig, ExistingKongConfig):
    pass


def kong_variant(value: object) -> str:
    """The class that a `kong` object of the stack file belongs to."""
    has_database = isinstance(value, dict) and value.get("database") == "postgres"
    if is_switched(value, "install", False):
        return (ExistingPostgresKongConfig if has_database else ExistingDbLessKongConfig).__name__
    return (ManagedPostgresKongConfig if has_database else ManagedDbLessKongConfig).__name__


AnyKongConfig = Annotated[
    Annotated[ManagedDbLessKongConfig, Tag("ManagedDbLessKongConfig")]
    | Annotated[ManagedPostgresKongConfig, Tag("ManagedPostgresKongConfig")]
    | Annotated[ExistingDbLessKongConfig, Tag("ExistingDbLessKongConfig")]
    | Annotated[ExistingPostgresKongConfig, Tag("ExistingPostgresKongConfig")],
    Discriminator(kong_variant),
]
