"""The error with which a hook stops the update."""

from traceable_kong.cluster.kong_deployment import KongDeployment
from traceable_kong.common.safe_text import PlainError


class HookFailed(PlainError):
    """The resource that the hook guards must not change now; the text says why, and what to do."""


def missing_deployment(deployment: KongDeployment) -> HookFailed:
    return HookFailed(
        f"Deployment {deployment} does not exist, so there is no gateway to protect. Install Kong again or correct "
        "traceable-kong:kong, then run `pulumi up --refresh`."
    )
