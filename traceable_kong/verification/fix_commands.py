"""The commands that reports give to fix what a check found."""

from traceable_kong.common.commands import helm_restore
from traceable_kong.plan.model import DesiredState

REPAIR = "`pulumi up --refresh`"


def restore_gateway(desired: DesiredState) -> str:
    """Restores what is inside the gateway's Deployment.

    A refresh reads Helm's own records of a release and not its objects, so a managed Kong needs a Helm rollback first.
    It does read the Deployment of an existing Kong, which may be in no Helm release at all.
    """
    if not desired.release_name:
        return f"{REPAIR}; with kong.filesMountedBy owner, first the owner's upgrade (docs/existing-kong.md)"
    return f"{helm_restore(desired.release_name, desired.deployment.namespace)}, then {REPAIR}"


def restart_gateway(desired: DesiredState) -> str:
    """Gives the gateway new pods."""
    return f"`kubectl --namespace {desired.deployment.namespace} rollout restart deployment {desired.deployment.name}`"
