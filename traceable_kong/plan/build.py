"""The stack config, the rock and what is read of the cluster become a plan. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from traceable_kong.cluster.ownership import StackIdentity
from traceable_kong.common.image_references import ImageReference
from traceable_kong.common.secret_texts import secret_texts
from traceable_kong.config.config_problem import Problem, without_secrets
from traceable_kong.config.parser import ConfigError
from traceable_kong.config.stack_config import AgentOnlyStack, StackConfig
from traceable_kong.plan.build_agent import agent_problems, build_agent
from traceable_kong.plan.build_injection import build_injection, build_policy
from traceable_kong.plan.build_kong import build_kong, kong_problems
from traceable_kong.plan.build_plugin import build_plugin
from traceable_kong.plan.model import Gateway, Plan
from traceable_kong.plan.siblings import Siblings
from traceable_kong.plugin.config_maps import plugin_config_maps
from traceable_kong.plugin.rock import Rock


@dataclass(frozen=True, kw_only=True)
class PlanInputs:
    """What a plan needs beside the config.

    `rock` is None for an agent-only stack. `pod_selector` is what an existing Kong's Deployment selects its pods by,
    `agent_settings` the data of an existing agent's ConfigMap, `recorded_image` the TME's image by this stack's record.
    `chart_files` is `{path: digest}` of charts in folders and archives, `siblings` as in Plan.
    """

    rock: Rock | None = None
    pod_selector: Mapping[str, Any] = field(default_factory=dict)
    agent_settings: Mapping[str, str] = field(default_factory=dict)
    recorded_image: ImageReference | None = None
    chart_files: Mapping[str, str] = field(default_factory=dict)
    siblings: Siblings | None = None


def build_plan(config: StackConfig, inputs: PlanInputs, identity: StackIdentity) -> Plan:
    """The plan of the stack with this identity.

    Raises ConfigError with everything in the user's chart values that contradicts what the program needs.
    """
    rock, owner, secrets = inputs.rock, identity.owner, secret_texts(config.model_dump(warnings=False))
    if isinstance(config, AgentOnlyStack) or rock is None:
        _require_none(agent_problems(config), secrets)
        agent = build_agent(config, identity, inputs.chart_files)
        return Plan(owner=owner, agent=agent, gateway=None, secrets=secrets, siblings=inputs.siblings)
    installed = config.installed
    config_maps = tuple(plugin_config_maps(rock.plugins)) if installed else ()
    _require_none([*agent_problems(config), *kong_problems(config.kong)], secrets)
    agent = build_agent(config, identity, inputs.chart_files)
    kong = build_kong(config.kong, identity, config_maps, inputs.pod_selector, inputs.chart_files)
    shared = inputs.siblings.shared_agent if inputs.siblings else None
    injection = build_injection(config, identity, agent, inputs.agent_settings, inputs.recorded_image, shared)
    gateway = Gateway(
        kong=kong,
        plugin=build_plugin(config, owner, kong.deployment, agent, rock),
        injection=injection,
        policy=build_policy(config, owner, kong, injection.image, agent) if installed else None,
        config_maps=config_maps,
        rock=rock,
        installed=installed,
    )
    return Plan(
        owner=owner,
        agent=agent if installed else None,
        gateway=gateway,
        secrets=secrets,
        siblings=inputs.siblings,
    )


def _require_none(problems: Iterable[Problem], secrets: Collection[str]) -> None:
    if found := [without_secrets(problem, secrets) for problem in problems]:
        raise ConfigError(found)
