"""The record of what stands: a small ConfigMap beside the gateway, written last.

Whoever finds the gateway can read there what protects it, in which mode and from which rock. It is updated in place
(the provider has `enable_config_map_mutable`). Leaves out every secret, and the proof that what is recorded holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

RECORD_NAME = "traceable-installation"


@dataclass(frozen=True, kw_only=True)
class InstallationArgs:
    """`namespace` is Kong's; `record` is what stands, as short texts without secrets."""

    namespace: str
    record: Mapping[str, str]


class Installation(pulumi.ComponentResource):
    """The record. Outputs: `record` (str: the ConfigMap's name)."""

    def __init__(self, name: str, *, args: InstallationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("traceable-kong:index:Installation", name, None, opts)
        k8s.core.v1.ConfigMap(
            f"{name}-record",
            metadata={"name": RECORD_NAME, "namespace": args.namespace},
            data=args.record,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"record": RECORD_NAME})
