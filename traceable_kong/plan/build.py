"""The stack config, the rock and what is read of the cluster become a plan. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from traceable_kong.common.image_references import ImageReference
from traceable_kong.config.stack_config import AgentOnlyStack, StackConfig
from traceable_kong.plan.build_agent import build_agent
from traceable_kong.plan.build_injection import build_injection, build_policy
from traceable_kong.plan.build_kong import build_kong
from traceable_kong.plan.build_plugin import build_plugin
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plugin.config_maps import plugin_config_maps
from traceable_kong.plugin.rock import Rock


@dataclass(frozen=True, kw_only=True)
class PlanInputs:
    """What a plan needs beside the config.

    `rock` is None for an agent-only stack. `pod_selector` is what an existing Kong's Deployment selects its pods by,
    `agent_settings` the data of an existing agent's ConfigMap, `recorded_image` the TME's image by this stack's record.
    """

    rock: Rock | None = None
    pod_selector: Mapping[str, Any] = field(default_factory=dict)
    agent_settings: Mapping[str, str] = field(default_factory=dict)
    recorded_image: ImageReference | None = None


def build_plan(config: StackConfig, inputs: PlanInputs, owner: str) -> Plan:
    """The plan of the stack with the id `owner`.

    Raises KongValuesError or AgentValuesError where the user's chart values contradict what the program needs.
    """
    agent = build_agent(config, owner)
    if isinstance(config, AgentOnlyStack) or inputs.rock is None:
        return Plan(owner=owner, agent=agent, gateway=None)
    rock, installed = inputs.rock, config.installed
    config_maps = tuple(plugin_config_maps(rock.plugins)) if installed else ()
    kong = build_kong(config.kong, owner, config_maps, inputs.pod_selector)
    injection = build_injection(config, agent, inputs.agent_settings, inputs.recorded_image)
    gateway = Gateway(
        kong=kong,
        plugin=build_plugin(config, owner, kong.deployment, agent, rock),
        injection=injection,
        policy=build_policy(config, owner, kong, injection.image, agent) if installed else None,
        config_maps=config_maps,
        rock=rock,
        installed=installed,
    )
    return Plan(owner=owner, agent=agent if installed else None, gateway=gateway)
