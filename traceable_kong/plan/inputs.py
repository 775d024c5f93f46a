"""Reads what a plan needs beside the config: of an existing Kong, and of an existing agent."""

from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.config.kong_config import ExistingKongConfig
from traceable_kong.config.stack_config import GatewayStack, StackConfig
from traceable_kong.plan.build import PlanInputs
from traceable_kong.plan.existing_agent import recorded_tme_image, sidecar_settings
from traceable_kong.plugin.rock import Rock


def read_inputs(config: StackConfig, cluster: ClusterTarget, rock: Rock | None, *, preview: bool) -> PlanInputs:
    """The inputs of the plan; `rock` is None for an agent-only stack, which needs no others.

    Raises PlainError where the cluster does not say what the plan depends on.
    """
    if not isinstance(config, GatewayStack):
        return PlanInputs()
    kong = config.kong
    return PlanInputs(
        rock=rock,
        pod_selector=(
            cluster.selector_of(kong.namespace, kong.deployment) if isinstance(kong, ExistingKongConfig) else {}
        ),
        agent_settings=sidecar_settings(config, cluster, preview=preview),
        recorded_image=recorded_tme_image(config, cluster, preview=preview),
    )
