"""What puts the TME into gateway pods, and the admission policy for those that would miss it."""

from collections.abc import Mapping
from typing import Any

from traceable_kong.cluster.agent_objects import AGENT_RELEASE
from traceable_kong.cluster.ownership import StackIdentity
from traceable_kong.cluster.tme import AGENT_CONFIG, INJECT_LABEL, pod_annotations, tme_image_in
from traceable_kong.common.image_references import ImageReference, parse_image
from traceable_kong.common.nested_data import keyed_digest
from traceable_kong.config.agent_config import ExistingAgentConfig
from traceable_kong.config.stack_config import GatewayStack
from traceable_kong.helm_values.agent_values import DEFAULT_TME_IMAGE, sidecar_values
from traceable_kong.plan.admission_policy import policy_name, policy_spec
from traceable_kong.plan.agent_model import Agent, ExternalAgent, ManagedAgent
from traceable_kong.plan.kong_model import Kong
from traceable_kong.plan.model import AdmissionPolicy, Injection
from traceable_kong.plan.siblings import SharedAgent


def build_injection(
    config: GatewayStack,
    identity: StackIdentity,
    agent: Agent,
    agent_settings: Mapping[str, str],
    recorded_image: ImageReference | None,
    shared: SharedAgent | None,
) -> Injection:
    """What makes new gateway pods get the TME, with a digest of what a TME is configured with.

    `agent_settings` is the data of an existing agent's ConfigMap, `recorded_image` the TME's image that this stack
    recorded, `shared` an existing agent that another component installs first. A running TME keeps what it got at its
    injection, so another digest rolls the gateway.
    """
    webhook = None if isinstance(agent, ExternalAgent) else agent.injector_webhook
    return Injection(
        image=_image(config, agent, agent_settings, recorded_image, shared),
        label=INJECT_LABEL,
        annotations=pod_annotations(keyed_digest(_tme_settings(agent, agent_settings), identity.digest_key)),
        webhook=webhook,
        webhook_domain=agent.webhook_domain if isinstance(agent, ManagedAgent) else None,
        agent_release=AGENT_RELEASE if isinstance(agent, ManagedAgent) else None,
    )


def build_policy(
    config: GatewayStack, owner: str, kong: Kong, image: ImageReference, agent: Agent
) -> AdmissionPolicy | None:
    """The admission policy; None where the config wants none, and for an external agent, which has no TME."""
    if isinstance(agent, ExternalAgent) or config.guard_action == "off":
        return None
    return AdmissionPolicy(
        name=policy_name(owner),
        action=config.guard_action,
        spec=policy_spec(
            namespace=kong.deployment.namespace,
            pod_selector=kong.pod_selector,
            tme_image=image,
            agent_namespace=agent.namespace,
        ),
    )


def _tme_settings(agent: Agent, agent_settings: Mapping[str, str]) -> list[Any]:
    if isinstance(agent, ManagedAgent):
        chart = agent.release.chart
        return [agent.namespace, chart.reference, chart.version, sidecar_values(agent.release.values)]
    return ["" if isinstance(agent, ExternalAgent) else agent.namespace, dict(agent_settings)]


def _image(
    config: GatewayStack,
    agent: Agent,
    agent_settings: Mapping[str, str],
    recorded: ImageReference | None,
    shared: SharedAgent | None,
) -> ImageReference:
    """The TME's image. An existing agent's own settings decide it the first time only.

    After that, anyone who may change its ConfigMap would choose what the policy admits and the verification believes
    (preflight/agent_checks.py reports where the two differ).
    """
    if isinstance(agent, ManagedAgent):
        return agent.tme_image
    if isinstance(config.agent, ExistingAgentConfig) and config.agent.tme_image is not None:
        return parse_image(config.agent.tme_image)
    coming = shared.agent.tme_image if shared else DEFAULT_TME_IMAGE
    return recorded or tme_image_in(agent_settings.get(AGENT_CONFIG, "")) or coming
