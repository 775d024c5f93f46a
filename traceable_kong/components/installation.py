"""The last step of an update: the verification, and the record of the installation.

The record is a ConfigMap in the namespace of the gateway, from which verify.py reads what must hold. An agent-only
stack has one in the agent's namespace. It is updated in place (the provider has `enable_config_map_mutable`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pulumi

from traceable_kong.components.deployment_step import DeploymentStep, resources_of
from traceable_kong.components.kubernetes_object import KubernetesObject
from traceable_kong.plan.model import Plan
from traceable_kong.plan.state_record import record_data, record_digest


class Installation(pulumi.ComponentResource):
    """Verification and record. Outputs: `record` (str: the ConfigMap's name, "" without a record).

    `verify` runs in every `up` after all `steps`, whether or not anything changed, and never in a preview; it raises
    pulumi.RunError. The record's data wait for it, so nothing that follows happens after a failed verification, not
    even deletions. `verified` is True after that. `wanted_digest` is the digest of a gateway's record once that exists,
    None where there is none. `record_digest` is that of the record in the cluster: `pulumi up --target` may not write
    the record, whose digest is then `kept` from the last update. What a refresh found is not used: other clients can
    write the record.
    """

    def __init__(
        self,
        name: str,
        *,
        plan: Plan,
        verify: Callable[[], object],
        steps: Sequence[DeploymentStep],
        kept: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:Installation", name, None, opts)

        record = record_data(plan)

        async def verified(_: object) -> Mapping[str, str]:
            await asyncio.to_thread(verify)
            return record or {}

        data: pulumi.Input[Mapping[str, str]] = record or {}
        if not pulumi.runtime.is_dry_run():
            data = pulumi.Output.all(*(resource.id for resource in resources_of(steps))).apply(verified)
        self.verified: pulumi.Output[bool] = pulumi.Output.from_input(data).apply(lambda _: True)
        self.wanted_digest: pulumi.Output[str] | None = None
        self.record_digest: pulumi.Output[str] | None = None
        if record is not None:
            metadata = {"name": plan.record_name, "namespace": plan.record_namespace, "labels": plan.labels}
            config_map = KubernetesObject(
                "v1",
                "ConfigMap",
                f"{name}-record",
                {"metadata": metadata, "data": data},
                opts=pulumi.ResourceOptions(parent=self),
            )
            if plan.gateway is not None:
                digest = record_digest(record)
                self.wanted_digest = config_map.id.apply(lambda _: digest)
                self.record_digest = pulumi.Output.all(self.wanted_digest, config_map.data, kept).apply(
                    lambda found: found[0] if record.items() <= dict(found[1]).items() else found[2]
                )
        self.register_outputs({"record": plan.record_name if record is not None else "", "verified": self.verified})
