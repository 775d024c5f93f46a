"""An agent in the cluster that this stack did not install: what its TMEs are given, read and never changed.

A running TME keeps what it was given at its injection, so the gateway rolls when that is another. Of an agent of ours
the chart values say it; of somebody else's, the ConfigMap that its injector reads. It also names the TME's image.
Whether the agent is there at all is preflight's question (preflight/agent_checks.py), and so is what it means that the
ConfigMap may not be read.
"""

from traceable_kong.cluster.agent_objects import CONFIG_MAP
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable
from traceable_kong.cluster.ownership import RECORD_NAME
from traceable_kong.cluster.target import ClusterTarget
from traceable_kong.common.commands import on_cluster
from traceable_kong.common.image_references import ImageReference, ImageReferenceError, parse_image
from traceable_kong.common.safe_text import PlainError
from traceable_kong.config.agent_config import ExistingAgentConfig
from traceable_kong.config.stack_config import GatewayStack

TRUSTED_TME_IMAGE = "trustedTmeImage"
"""The key of this stack's record with the registry and repository of the TME's image."""


class PlanError(PlainError):
    """The plan cannot be made; the text is for the person at the terminal."""


def recorded_tme_image(settings: GatewayStack, cluster: ClusterTarget, *, preview: bool) -> ImageReference | None:
    """The TME's image without its version as this stack's last `up` recorded it, None where there is no record.

    The settings of an agent that is not managed by this stack are not trusted to change it (plan/stack_plan.py). Errors
    as in `sidecar_settings()`.
    """
    if not isinstance(settings.agent, ExistingAgentConfig) or not settings.installed:
        return None
    path = f"/api/v1/namespaces/{settings.kong.namespace}/configmaps/{RECORD_NAME}"
    try:
        found = cluster.api.get(path)
    except (ApiError, Unreachable) as problem:
        if preview and isinstance(problem, ApiError) and problem.status == 403:
            return None  # Preflight, which reads the same, says that it could not.
        raise PlanError(
            on_cluster(
                f"ConfigMap {settings.kong.namespace}/{RECORD_NAME} could not be read: {problem}. Without it the TME's "
                "image that this stack trusts is not known. Nothing was changed. Run the same again; `kubectl auth "
                f"can-i get configmaps --namespace {settings.kong.namespace}` says whether you may read it.",
                cluster.command_options,
            )
        ) from None
    data = (found.get("data") if found else None) or {}
    try:
        return parse_image(str(data.get(TRUSTED_TME_IMAGE, "")))
    except ImageReferenceError:
        return None


def sidecar_settings(settings: GatewayStack, cluster: ClusterTarget, *, preview: bool) -> dict[str, str]:
    """The agent's own settings from its ConfigMap; {} where there is none.

    Whatever the mode: the policy names the TME's image in async too, and a switch must not change it. An error while
    asking stops the run: other settings would be seen than there are, and in sync the gateway would roll. Somebody who
    may not read them goes on where nothing rolls: in a preview, and while no TME is wanted. Raises PlanError.
    """
    if not isinstance(settings.agent, ExistingAgentConfig) or not settings.installed:
        return {}
    try:
        found = cluster.api.get(f"/api/v1/namespaces/{settings.agent.namespace}/configmaps/{CONFIG_MAP}")
    except (ApiError, Unreachable) as problem:
        rolls = not preview and settings.mode == "sync" and settings.enabled
        if not rolls and isinstance(problem, ApiError) and problem.status == 403:
            return {}  # Preflight, which reads the same, says that it could not.
        raise PlanError(
            on_cluster(
                f"ConfigMap {settings.agent.namespace}/{CONFIG_MAP} could not be read: {problem}. Without the agent's "
                "settings the gateway could be rolled for nothing. Nothing was changed. Run the same again; `kubectl "
                f"auth can-i get configmaps --namespace {settings.agent.namespace}` says whether you may read it.",
                cluster.command_options,
            )
        ) from None
    return dict(found.get("data") or {}) if found else {}
