"""The gateway's namespace: created by this stack, or existing.

The config decides which (kong.createNamespace), not the cluster: a namespace that the stack created is deleted with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.namespace import namespace_of


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
    """Kong's namespace. Outputs: `namespace` (str).

    The attribute `namespace` is the Namespace that this stack created, None for an existing one.
    """

    def __init__(
        self,
        name: str,
        *,
        args: KongNamespaceArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:KongNamespace", name, None, opts)
        self.namespace: pulumi.Resource | None = namespace_of(
            f"{name}-namespace",
            name=args.namespace,
            create=args.create,
            labels=args.labels,
            protect=args.protect,
            parent=self,
        )
        self.register_outputs({"namespace": args.namespace})
