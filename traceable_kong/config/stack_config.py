"""The stack's configuration as typed values: every key, its default, and what it is for.

The contract with users. The descriptions here are what docs/configuration.md and the editor's schema show.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
"""Names of namespaces and releases (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/)."""

DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"


ROCK_FORM = r"^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}-[0-9]{1,9}$"

WORKSPACE = r"^[-._~a-zA-Z0-9]+$"
"""What Kong takes for a workspace's name (https://developer.konghq.com/gateway/entities/workspace/)."""

SECRET_KEY = r"^[-._a-zA-Z0-9]+$"


def _boolean(value: object) -> object:
    """`pulumi config set` writes text."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _whole_number(value: object) -> object:
    """`pulumi config set` writes text; a number in JSON may come as 403.0."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _text(value: object) -> object:
    """A version or a message can look like a number or a boolean in YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _lower(value: object) -> object:
    """Some tools print digests in capitals."""
    return value.strip().lower() if isinstance(value, str) else value


Switch = Annotated[bool, Field(strict=True), BeforeValidator(_boolean)]
Number = Annotated[int, Field(strict=True), BeforeValidator(_whole_number)]
Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[str, Field(pattern=DNS_LABEL)]
ObjectName = Annotated[str, Field(pattern=DNS_SUBDOMAIN)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=86_400), BeforeValidator(_whole_number)]
Values = dict[str, Any]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


class SecretReference(_Part):
    """A key of a Secret that exists."""

    name: ObjectName = Field(description="The Secret's name.")
    key: Annotated[str, Field(pattern=SECRET_KEY)] = Field(description="The key in the Secret.")


class ChartConfig(_Part):
    """A Helm chart: by name and version from a repository, or in a local folder or archive."""

    repository: str | None = Field(default=None, description="URL of the chart repository.")
    name: str | None = Field(default=None, description="The chart's name, or its whole `oci://` address.")
    version: Text | None = Field(default=None, description="The chart's version.")
    path: str | None = Field(default=None, description="A folder or archive, in place of the other three.")


class PluginConfig(_Part):
    """The rock, and the plugin's names."""

    version: Text = Field(
        default="2.1.2-1",
        pattern=ROCK_FORM,
        description="The rock's version; its address at LuaRocks follows from it.",
    )
    rock: str | None = Field(default=None, description="A path or https URL, where the rock is not from LuaRocks.")
    sha256: Annotated[str | None, BeforeValidator(_lower)] = Field(
        default=None,
        description="The rock's digest, 64 hexadecimal digits. Asked for unless the rock is a local file.",
    )
    headers: dict[str, SecretStr] = Field(default={}, description="HTTP headers for a mirror; secret.")
    name: ObjectName = Field(
        default="traceable-plugin", description="Name of the KongClusterPlugin; another in each stack of a cluster."
    )
    service_name: str = Field(default="kong", description="The service's name on the Traceable platform.")


def _chart_of(repository: str, name: str) -> BeforeValidator:
    """Another version of the same chart is the most that many people want to say."""

    def filled(value: object) -> object:
        if isinstance(value, dict) and not value.keys() & {"repository", "name", "path"}:
            return {**value, "repository": repository, "name": name}
        return value

    return BeforeValidator(filled)


AGENT_REPOSITORY = "https://helm.traceable.ai"
KONG_REPOSITORY = "https://charts.konghq.com"


class AgentConfig(_Part):
    """The Traceable agent."""

    install: Switch = Field(
        default=True, description="False: an agent that somebody else, or another stack, installed."
    )
    namespace: Name = Field(default="traceable", description="The agent's namespace.")
    create_namespace: Switch = Field(default=True, description="False: the namespace exists.")
    adopt: Switch = Field(
        default=False, description="True: take over the Helm release `traceable-agent` that was installed by hand."
    )
    protect: Switch | None = Field(
        default=None,
        description="True: `pulumi destroy`, and whatever else would delete the agent or its namespace, is refused. "
        "Unset: as agent.adopt.",
    )
    environment: Text | None = Field(default=None, description="The environment's name on the Traceable platform.")
    endpoint: str | None = Field(default=None, description="The Traceable platform's address; the chart's where unset.")
    chart: Annotated[ChartConfig, _chart_of(AGENT_REPOSITORY, "traceable-agent")] = Field(
        default=ChartConfig(repository=AGENT_REPOSITORY, name="traceable-agent", version="1.58.0"),
        description="Where the chart comes from.",
    )
    url: str | None = Field(default=None, description="An agent outside the cluster; async only.")
    tme_image: str | None = Field(
        default=None,
        description="The TME's image, `REGISTRY/REPOSITORY[:TAG][@DIGEST]`, of an agent that is not ours; where unset, "
        "what that agent's configuration says at the first `up`, else `docker.io/traceableai/traceable-agent`.",
    )
    timeout_seconds: Seconds = Field(default=300, description="How long Helm waits for the agent.")

    @property
    def protected(self) -> bool:
        """Whether it is protected against deletion."""
        return self.adopt if self.protect is None else self.protect


class PostgresConfig(_Part):
    """The database of a Kong of ours: one that exists, or one that is made here."""

    host: str | None = Field(default=None, description="Host name or address of a PostgreSQL that exists.")
    port: Number = Field(default=5432, ge=1, le=65_535, description="Its port.")
    database: str = Field(default="kong", description="Name of the database.")
    user: str = Field(default="kong", description="Name of the user.")
    password_secret: SecretReference | None = Field(
        default=None, description="The Secret in Kong's namespace that holds the password."
    )
    tls: Switch = Field(default=True, description="TLS to the database; none where it is made here.")
    managed: Switch = Field(
        default=False, description="True: a PostgreSQL is made here, for development; its data goes with it."
    )


class AdminApiConfig(_Part):
    """Kong's Admin API, in DB mode. Every Secret is in Kong's namespace, and read each time that Kong is asked."""

    url: str | None = Field(default=None, description="Its address; a port-forward into a pod where unset.")
    token_secret: SecretReference | None = Field(default=None, description="The Secret with the Kong-Admin-Token.")
    ca_secret: SecretReference | None = Field(
        default=None, description="The Secret with the authority of its certificate; the system's where unset."
    )
    client_certificate_secret: ObjectName | None = Field(
        default=None,
        description="A Secret of the type kubernetes.io/tls with the certificate that Kong is shown.",
    )
    insecure: Switch = Field(default=False, description="True: its certificate is not checked.")
    workspace: Annotated[str, Field(pattern=WORKSPACE)] = Field(default="default", description="The workspace.")
    adopt: Switch = Field(
        default=False, description="True: take over a row of the plugin that is there already; it goes with the stack."
    )
    route: str | None = Field(
        default=None, description="With scope selected: the route that is protected, by name or id."
    )
    service: str | None = Field(default=None, description="Or the service: exactly one of the two.")


class KongConfig(_Part):
    """The gateway."""

    install: Switch = Field(default=True, description="False: a Kong that somebody else installed.")
    namespace: Name = Field(default="kong", description="Kong's namespace.")
    create_namespace: Switch = Field(default=True, description="False: the namespace exists.")
    release: Name = Field(default="quickstart", max_length=53, description="Name of the Helm release.")
    adopt: Switch = Field(default=False, description="True: take over the Helm release that was installed by hand.")
    protect: Switch | None = Field(
        default=None,
        description="True: `pulumi destroy`, and whatever else would delete the gateway, its namespace or its managed "
        "database, is refused. Unset: as kong.adopt.",
    )
    chart: Annotated[ChartConfig, _chart_of(KONG_REPOSITORY, "kong")] = Field(
        default=ChartConfig(repository=KONG_REPOSITORY, name="kong", version="3.4.1"),
        description="Where the chart comes from.",
    )
    ingress_class: ObjectName = Field(default="kong", description="The gateway's ingress class.")
    database: Literal["off", "postgres"] = Field(default="off", description="Whether Kong has a database.")
    timeout_seconds: Seconds = Field(default=600, description="How long a rollout of the gateway may take.")
    deployment: ObjectName | None = Field(
        default=None, description="Deployment of a Kong that exists; `ingress-kong` where unset."
    )
    container: Name | None = Field(default=None, description="Its Kong container; `proxy` where unset.")
    files_from: Literal["ours", "values"] = Field(
        default="ours",
        description="How a Kong that exists gets the plugin's files: `ours`: added to its Deployment; `values`: its "
        "owner's chart values mount them, and the Deployment is left alone.",
    )
    postgres: PostgresConfig | None = Field(default=None, description="Kong's database, in DB mode.")
    admin: AdminApiConfig | None = Field(default=None, description="Kong's Admin API, in DB mode.")

    @property
    def protected(self) -> bool:
        """Whether it is protected against deletion."""
        return self.adopt if self.protect is None else self.protect


class StackConfig(_Part):
    """The keys of the namespace `traceable-kong`."""

    gateway: Switch = Field(
        default=True,
        description="False: this stack is the agent alone, which the gateways of other stacks share; only `agent*`, "
        "`blocking*` and `allowedClusters` may stand beside it.",
    )
    mode: Literal["sync", "async"] = Field(
        default="sync",
        description="`sync`: every request asks the TME sidecar. `async`: one report in the log phase, no TME.",
    )
    buffer_request_body: Switch = Field(
        default=True, description="Buffer the body in the access phase, so that async can report it."
    )
    blocking_status_code: Number = Field(
        default=403, ge=400, le=499, description="What a blocked request gets; Traceable shows 403 for any other."
    )
    blocking_message: Text = Field(default="Access Forbidden", description="What a blocked request reads; any text.")
    fail_mode: Literal["open", "closed"] = Field(
        default="open",
        description="When Traceable cannot answer: `open` lets the request through, `closed` refuses it.",
    )
    timeout_ms: Number = Field(default=500, ge=1, le=60_000, description="How long Kong waits for Traceable.")
    scope: Literal["global", "selected"] = Field(
        default="global",
        description="`global`, or `selected`: only routes and services annotated with the plugin's name; with a "
        "database, the one of kong.admin.route or kong.admin.service.",
    )
    enabled: Switch = Field(
        default=True, description="False: the plugin stands disabled, then the TME goes; its files stay mounted."
    )
    installed: Switch = Field(default=True, description="False: Traceable leaves a Kong of ours that stays.")
    tme_guard: Literal["deny", "warn", "off"] | None = Field(
        default=None,
        description="A gateway pod that asked for the TME and did not get it: `deny`, `warn` or `off`. Unset: `warn` "
        "with failMode open, `deny` with closed.",
    )
    agent_token: SecretStr | None = Field(default=None, description="The Traceable platform token; secret.")
    agent_token_secret: SecretReference | None = Field(
        default=None, description="Or the Secret in the agent's namespace that holds it: exactly one of the two."
    )
    allowed_clusters: tuple[str, ...] = Field(
        default=(), description="API server URLs that this stack may touch; any other is refused."
    )
    plugin: PluginConfig = Field(default=PluginConfig(), description="The rock, and the plugin's names.")
    plugin_config: Values = Field(default={}, description="More options of the plugin.")
    agent: AgentConfig = Field(default=AgentConfig(), description="The Traceable agent.")
    agent_values: Values = Field(default={}, description="The user's own values of the agent's chart.")
    kong_values: Values = Field(default={}, description="The user's own values of Kong's chart.")
    kong: KongConfig = Field(default=KongConfig(), description="The gateway.")


FREE_FORM = frozenset({"pluginConfig", "agentValues", "kongValues"})
"""Keys whose content is the user's: a leaf in them can be secret."""
