"""The rules of a stack that is the agent alone (`gateway: false`): what belongs to a gateway cannot stand beside it."""

from collections.abc import Iterator

from traceable_kong.config.config_problem import Problem, config_remove, config_set, rule
from traceable_kong.config.stack_config import StackConfig

OF_THE_AGENT = frozenset(
    {
        "gateway",
        "agent",
        "agentToken",
        "agentTokenSecret",
        "agentValues",
        "allowedClusters",
        "blockingMessage",
        "blockingStatusCode",
    }
)
"""Keys that a stack without a gateway has a use for; every other is a gateway's."""


@rule
def no_gateway(settings: StackConfig) -> Iterator[Problem]:
    """gateway: false is an agent of ours and nothing else."""
    if settings.gateway:
        return
    for name, field in StackConfig.model_fields.items():
        key = str(field.alias)
        if name in settings.model_fields_set and key not in OF_THE_AGENT:
            yield Problem(
                key,
                "belongs to a gateway, and gateway is false: this stack is the agent alone, and it would be ignored",
                f"{config_remove(key)}, and set it in the gateway's own stack",
            )
    if not settings.agent.install:
        yield Problem(
            "agent.install",
            "is false, and so is gateway: there would be nothing left for this stack to install",
            f"{config_remove('agent.install')}, or {config_set('gateway', 'true')}",
        )
    if settings.agent.url is not None:
        yield Problem(
            "agent.url",
            "is an agent outside the cluster, for a gateway; gateway is false, and this stack's agent is in the "
            "cluster: it would be ignored",
            config_remove("agent.url"),
        )
