"""A namespace as Kong and the agent use it: created here, or one that exists."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from components.secret_outputs import LIVE_OBJECT


def namespace_of(
    logical_name: str, *, name: str, create: bool, labels: Mapping[str, str], protect: bool, parent: pulumi.Resource
) -> k8s.core.v1.Namespace | None:
    """The Namespace where it is created here, None where it exists.

    Both have the same logical name: one that was created here, and is to stay, is let go and not deleted. The outputs
    are secret, because others may write anything into the object; of one that is read, so are the inputs. `protect`
    True refuses to delete one that was created here.
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
