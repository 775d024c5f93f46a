"""Reads what a plan needs beside the config: the rock, an existing Kong and agent, and the stack's record.

Two ConfigMaps decide which image counts as the TME and when the gateway rolls, so a read that fails stops the run.
Preflight reads the same objects and reports what it may not read (preflight/agent_checks.py).
"""

from traceable_kong.cluster.agent_objects import CONFIG_MAP
from traceable_kong.cluster.api_objects import config_maps
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.cluster.ownership import RECORD_NAME
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.common.commands import on_cluster
from traceable_kong.common.image_references import ImageReference, ImageReferenceError, parse_image
from traceable_kong.common.safe_text import PlainError
from traceable_kong.config.agent_config import ExistingAgentConfig, ManagedAgentConfig
from traceable_kong.config.kong_config import ExistingKongConfig, ManagedKongConfig
from traceable_kong.config.stack_config import GatewayStack, StackConfig
from traceable_kong.helm_values.chart import files_digest
from traceable_kong.plan.build import PlanInputs
from traceable_kong.plan.state_record import TRUSTED_TME_IMAGE
from traceable_kong.plugin.rock_loading import load_rock


class PlanError(PlainError):
    """What the plan depends on cannot be read; the text says what, and what to do."""


def read_inputs(config: StackConfig, cluster: ClusterTarget, *, preview: bool) -> PlanInputs:
    """The inputs of the plan. An agent-only stack needs its chart's only. Raises RockError or PlanError."""
    if not isinstance(config, GatewayStack):
        return PlanInputs(chart_files=chart_files(config))
    kong = config.kong
    return PlanInputs(
        rock=load_rock(config.plugin),
        pod_selector=(
            cluster.selector_of(kong.namespace, kong.deployment) if isinstance(kong, ExistingKongConfig) else {}
        ),
        agent_settings=agent_settings(config, cluster, preview=preview),
        recorded_image=recorded_tme_image(config, cluster, preview=preview),
        chart_files=chart_files(config),
    )


def chart_files(config: StackConfig) -> dict[str, str]:
    """`{path: digest}` of the charts in folders and archives that this stack installs."""
    parts = (config.agent, *((config.kong,) if isinstance(config, GatewayStack) else ()))
    charts = [part.chart.path for part in parts if isinstance(part, ManagedAgentConfig | ManagedKongConfig)]
    return {path: files_digest(path) for path in charts if path}


def agent_settings(config: StackConfig, cluster: ClusterTarget, *, preview: bool) -> dict[str, str]:
    """The data of an existing agent's ConfigMap; {} for other agents, and where there is no ConfigMap.

    It is read in every mode: the policy names the TME's image in async too, and a mode switch must not change it. A
    running TME keeps what it got at its injection, so other settings roll the gateway. Where nothing rolls (in a
    preview, and while no TME is wanted), a user who may not read the ConfigMap goes on without it. Raises PlanError.
    """
    if not (isinstance(config, GatewayStack) and isinstance(config.agent, ExistingAgentConfig) and config.installed):
        return {}
    return _data(
        cluster,
        config.agent.namespace,
        CONFIG_MAP,
        consequence="Without the agent's settings, the gateway could be rolled out without need.",
        allow_forbidden=preview or config.mode == "async" or not config.enabled,
    )


def recorded_tme_image(config: GatewayStack, cluster: ClusterTarget, *, preview: bool) -> ImageReference | None:
    """The TME's image without its version as the last `pulumi up` recorded it; None where there is no record.

    An existing agent's own settings are not trusted to change it (plan/build_injection.py). Raises PlanError.
    """
    if not isinstance(config.agent, ExistingAgentConfig) or not config.installed:
        return None
    data = _data(
        cluster,
        config.kong.namespace,
        RECORD_NAME,
        consequence="Without it, the TME image that this stack trusts is not known.",
        allow_forbidden=preview,
    )
    try:
        return parse_image(str(data.get(TRUSTED_TME_IMAGE, "")))
    except ImageReferenceError:
        return None


def _data(
    cluster: ClusterTarget, namespace: str, name: str, *, consequence: str, allow_forbidden: bool
) -> dict[str, str]:
    try:
        config_map = cluster.reads.get(f"{config_maps(namespace)}/{name}")
    except (ApiError, Unreachable) as problem:
        if allow_forbidden and isinstance(problem, ApiError) and problem.status == 403:
            return {}
        raise PlanError(
            on_cluster(
                f"ConfigMap {namespace}/{name} could not be read: {problem}. {consequence} Nothing was changed. Check "
                f"your permission with `kubectl auth can-i get configmaps --namespace {namespace}`, then run the same "
                "command again.",
                cluster.command_options,
            )
        ) from None
    return dict(config_map.get("data") or {}) if config_map else {}
