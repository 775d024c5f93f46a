"""A namespace that this stack creates, or an existing one."""

from collections.abc import Mapping

import pulumi

from traceable_kong.components.kubernetes_object import ExistingObject, KubernetesObject
from traceable_kong.components.secret_outputs import LIVE_OBJECT


def namespace_of(
    logical_name: str, *, name: str, create: bool, labels: Mapping[str, str], protect: bool, parent: pulumi.Resource
) -> KubernetesObject | None:
    """The Namespace if `create`, None for an existing one.

    Both have the same logical name, so changing `create` to False releases the namespace instead of deleting it. The
    outputs are secret because other clients may write anything into the object; when it is read, so are the inputs.
    """
    if create:
        return KubernetesObject(
            "v1",
            "Namespace",
            logical_name,
            {"metadata": {"name": name, "labels": dict(labels)}},
            opts=pulumi.ResourceOptions(parent=parent, protect=protect, additional_secret_outputs=list(LIVE_OBJECT)),
        )
    ExistingObject(
        "v1",
        "Namespace",
        logical_name,
        name,
        opts=pulumi.ResourceOptions(parent=parent, additional_secret_outputs=[*LIVE_OBJECT, "__inputs"]),
    )
    return None
