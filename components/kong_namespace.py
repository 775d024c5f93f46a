"""The namespace of the gateway: made here, or found where the stack says that it exists.

The config decides which of the two, never what happens to stand in the cluster: a namespace that is made here goes
with the stack, one that was found stays. Leaves out the injector's label, which TmeInjection sets and takes back.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from values import LIVE_OBJECT


@dataclass(frozen=True, kw_only=True)
class KongNamespaceArgs:
    """`namespace` is its name; `create` False finds it, and fails where it is missing. `labels` tell whose it is.

    `protect` True refuses to delete one that was made here.
    """

    namespace: str
    create: bool
    labels: Mapping[str, str]
    protect: bool = False


class KongNamespace(pulumi.ComponentResource):
    """Kong's namespace. Outputs: `namespace` (str). `made` is the Namespace where it was made here, else None."""

    def __init__(
        self,
        name: str,
        *,
        args: KongNamespaceArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:KongNamespace", name, None, opts)
        self.made: pulumi.Resource | None = None
        if args.create:
            self.made = k8s.core.v1.Namespace(
                f"{name}-namespace",
                metadata={"name": args.namespace, "labels": dict(args.labels)},
                opts=pulumi.ResourceOptions(
                    parent=self, protect=args.protect, additional_secret_outputs=list(LIVE_OBJECT)
                ),
            )
        else:
            k8s.core.v1.Namespace.get(
                f"{name}-namespace",
                args.namespace,
                # What its owner wrote into it is theirs; a read object's inputs are the live ones too.
                opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=[*LIVE_OBJECT, "__inputs"]),
            )
        self.register_outputs({"namespace": args.namespace})
