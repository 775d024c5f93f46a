"""A stack's config as typed values: every key, its default, and its meaning.

docs/configuration.md and the editors' schema show the descriptions. Where a part of the config comes in several
variants, each is a class that has its own keys and no others.
"""

from typing import ClassVar, Literal

from pydantic import Field

from traceable_kong.config.agent_config import AgentConfig, ExternalAgentConfig, ManagedAgentConfig
from traceable_kong.config.config_types import (
    AlwaysFalse,
    AlwaysTrue,
    Number,
    Part,
    Switch,
    Values,
    Variant,
    is_switched,
)
from traceable_kong.config.kong_config import AnyKongConfig, ManagedDbLessKongConfig
from traceable_kong.config.plugin_source import AnyPluginConfig, LuaRocksPluginConfig


class _Stack(Part):
    """What every stack has: an agent, and the clusters that it may change."""

    agent: AgentConfig = Field(default=ManagedAgentConfig(), description="The Traceable agent.")
    allowed_clusters: tuple[str, ...] = Field(
        default=(),
        min_length=1,
        description="URLs of the API servers that this stack may change. Any other is refused.",
    )


class GatewayStack(_Stack):
    """A stack that protects a gateway."""

    variants: ClassVar[dict[str, Variant]] = {"gateway": Variant("a stack with a gateway", "gateway: true")}

    gateway: AlwaysTrue = Field(
        default=True,
        description="False: an agent-only stack, whose agent the gateways of other stacks share.",
    )
    mode: Literal["sync", "async"] = Field(
        default="sync",
        description="`sync`: Kong asks the TME sidecar about every request. `async`: Kong reports each request in its "
        "log phase; there is no TME.",
    )
    buffer_request_body: Switch = Field(
        default=True, description="Buffer the request body in the access phase, so that async can report it."
    )
    fail_mode: Literal["open", "closed"] = Field(
        default="open",
        description="When Traceable does not answer: `open` lets the request through, `closed` refuses it.",
    )
    timeout_ms: Number = Field(default=500, ge=1, le=60_000, description="How long Kong waits for Traceable.")
    scope: Literal["global", "selected"] = Field(
        default="global",
        description="`global`, or `selected`: only routes and services annotated with the plugin's name; with a "
        "database, the one of kong.admin.route or kong.admin.service.",
    )
    enabled: Switch = Field(
        default=True,
        description="False: the plugin is disabled and the TME is removed. The plugin's files stay mounted.",
    )
    installed: Switch = Field(default=True, description="False: uninstall Traceable and keep the managed Kong.")
    tme_guard: Literal["deny", "warn", "off"] | None = Field(
        default=None,
        alias="tmeGuard",
        description="What to do with a gateway pod that asks for the TME and does not have it: `deny`, `warn` or "
        "`off`. Unset: `warn` with failMode open, `deny` with closed.",
    )
    plugin: AnyPluginConfig = Field(default=LuaRocksPluginConfig(), description="The plugin's rock, and its names.")
    plugin_config: Values = Field(default={}, description="More options of the plugin.")
    kong: AnyKongConfig = Field(default=ManagedDbLessKongConfig(), description="The gateway.")

    @property
    def guard_action(self) -> Literal["deny", "warn", "off"]:
        """What the admission policy does with a gateway pod that lacks the TME."""
        if isinstance(self.agent, ExternalAgentConfig):
            return "off"  # No gateway pod gets a TME.
        return self.tme_guard or ("deny" if self.fail_mode == "closed" else "warn")


class AgentOnlyStack(_Stack):
    """A stack that is an agent for the gateways of other stacks, and no gateway."""

    variants: ClassVar[dict[str, Variant]] = {"gateway": Variant("an agent-only stack", "gateway: false")}

    gateway: AlwaysFalse
    agent: ManagedAgentConfig = Field(default=ManagedAgentConfig(), description="The Traceable agent.")


StackConfig = GatewayStack | AgentOnlyStack


def stack_variant(raw: object) -> type[GatewayStack] | type[AgentOnlyStack]:
    """The class that a stack's keys belong to."""
    return AgentOnlyStack if is_switched(raw, "gateway", False) else GatewayStack


FREE_FORM = frozenset({"agentValues", "kongValues"})
"""Keys with a free-form value, in which any leaf can be secret."""
