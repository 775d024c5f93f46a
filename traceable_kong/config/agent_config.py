"""The Traceable agent in the config: managed by this stack, existing in the cluster, or outside the cluster."""

from typing import Annotated, ClassVar

from pydantic import Discriminator, Field, SecretStr, Tag

from traceable_kong.common.commands import config_set
from traceable_kong.config.config_types import (
    AlwaysFalse,
    AlwaysTrue,
    ChartConfig,
    FilledText,
    Name,
    Number,
    Part,
    Seconds,
    SecretReference,
    Switch,
    Text,
    Values,
    Variant,
    chart_of,
    is_set,
    is_switched,
)

AGENT_REPOSITORY = "https://helm.traceable.ai"


class ManagedAgentConfig(Part):
    """An agent that this stack installs by its Helm chart."""

    variants: ClassVar[dict[str, Variant]] = {"install": Variant("a managed agent", "agent.install: true")}

    install: AlwaysTrue = Field(default=True, description="False: this stack does not install an agent.")
    namespace: Name = Field(default="traceable", description="Namespace of the agent.")
    create_namespace: Switch = Field(default=True, description="False: the namespace exists.")
    adopt: Switch = Field(
        default=False, description="True: adopt the Helm release `traceable-agent` that was installed by hand."
    )
    protect: Switch | None = Field(
        default=None,
        description="True: `pulumi destroy`, and everything else that would delete the agent or its namespace, is "
        "refused. Unset: as agent.adopt.",
    )
    environment: FilledText | None = Field(
        default=None, description="Name of the environment on the Traceable platform."
    )
    endpoint: str | None = Field(
        default=None, description="Host of the Traceable platform; unset, the default of the chart."
    )
    chart: Annotated[ChartConfig, chart_of(AGENT_REPOSITORY, "traceable-agent")] = Field(
        default=ChartConfig(repository=AGENT_REPOSITORY, name="traceable-agent", version="1.58.0"),
        description="Where the chart comes from.",
    )
    timeout_seconds: Seconds = Field(default=300, description="How long Helm waits for the agent.")
    token: SecretStr | None = Field(
        default=None, alias="agentToken", description="Token of the Traceable platform; secret."
    )
    token_secret: SecretReference | None = Field(
        default=None,
        alias="agentTokenSecret",
        description="Or the Secret in the agent's namespace that holds the token. Set exactly one of the two.",
    )
    values: Values = Field(default={}, alias="agentValues", description="Your own values for the agent's chart.")
    blocking_status_code: Number = Field(
        default=403,
        ge=400,
        le=499,
        description="Status of a blocked request; Traceable returns 403 for anything outside 400 to 499.",
    )
    blocking_message: Text = Field(default="Access Forbidden", description="Body of a blocked request; any text.")

    @property
    def protected(self) -> bool:
        """Whether it is protected against deletion."""
        return self.adopt if self.protect is None else self.protect


class ExistingAgentConfig(Part):
    """An agent in the cluster that this stack does not manage."""

    variants: ClassVar[dict[str, Variant]] = {"install": Variant("an existing agent", "agent.install: false")}

    install: AlwaysFalse
    namespace: Name = Field(default="traceable", description="Namespace of the agent.")
    tme_image: str | None = Field(
        default=None,
        description="Image of the TME, `REGISTRY/REPOSITORY[:TAG][@DIGEST]`. Unset: the image in the agent's "
        "configuration at the first `up`, else `docker.io/traceableai/traceable-agent`.",
    )


class ExternalAgentConfig(Part):
    """An agent outside the cluster. There is no TME, so only async works."""

    variants: ClassVar[dict[str, Variant]] = {
        "install": Variant(
            "an external agent", "agent.install: false with agent.url", config_set("agent.install", "false")
        )
    }

    install: AlwaysFalse
    url: str = Field(description="URL of an agent outside the cluster; async only.")


def agent_variant(value: object) -> str:
    """The class that an `agent` object of the stack file belongs to."""
    if not is_switched(value, "install", False):
        return ManagedAgentConfig.__name__
    return (ExternalAgentConfig if is_set(value, "url") else ExistingAgentConfig).__name__


AgentConfig = Annotated[
    Annotated[ManagedAgentConfig, Tag("ManagedAgentConfig")]
    | Annotated[ExistingAgentConfig, Tag("ExistingAgentConfig")]
    | Annotated[ExternalAgentConfig, Tag("ExternalAgentConfig")],
    Discriminator(agent_variant),
]
