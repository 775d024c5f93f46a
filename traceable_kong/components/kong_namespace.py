"""The gateway's namespace: created by this stack, or existing.

The config decides which (kong.createNamespace), not the cluster: a namespace that the stack created is deleted with it.
"""

import pulumi

from traceable_kong.components.namespace import namespace_of
from traceable_kong.plan.kong_model import Kong, ManagedKong
from traceable_kong.plan.model import Plan


class KongNamespace(pulumi.ComponentResource):
    """Kong's namespace. Outputs: `namespace` (str).

    The attribute `namespace` is the Namespace that this stack created, None for an existing one.
    """

    def __init__(self, name: str, *, plan: Plan, kong: Kong, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("traceable-kong:index:KongNamespace", name, None, opts)
        self.namespace: pulumi.Resource | None = namespace_of(
            f"{name}-namespace",
            name=kong.deployment.namespace,
            create=kong.create_namespace,
            labels=plan.labels,
            protect=isinstance(kong, ManagedKong) and kong.release.protect,
            parent=self,
        )
        self.register_outputs({"namespace": kong.deployment.namespace})
