"""A namespace that this stack creates, or an existing one."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from components.secret_outputs import LIVE_OBJECT


def namespace_of(
    logical_name: str, *, name: str, create: bool, labels: Mapping[str, str], protect: bool, parent: pulumi.Resource
) -> k8s.core.v1.Namespace | None:
    """The Namespace if `create`, None for an existing one.

    Both have the same logical name, so changing `create` to False releases the namespace instead of deleting it. The
    outputs are secret because other clients may write anything into the object; when it is read, so are the inputs.
    """
    if create:
        return k8s.core.v1.Namespace(
            logical_name,
            metadata={"name": name, "labels": dict(labels)},
            opts=pulumi.ResourceOptions(parent=parent, protect=protect, additional_secret_outputs=list(LIVE_OBJECT)),
        )
    k8s.core.v1.Namespace.get(
        logical_name,
        name,
        opts=pulumi.ResourceOptions(parent=parent, additional_secret_outputs=[*LIVE_OBJECT, "__inputs"]),
    )
    return None
