"""What the steps of a deployment have in common."""

from collections.abc import Sequence

import pulumi


class DeploymentStep(pulumi.ComponentResource):
    """A component that changes the agent or the gateway; later steps wait until its `resources` are done."""

    resources: list[pulumi.CustomResource]


def resources_of(steps: Sequence[DeploymentStep]) -> list[pulumi.CustomResource]:
    return [resource for step in steps for resource in step.resources]
