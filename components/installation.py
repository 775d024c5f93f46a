"""The last step of an update: the verification, and the record of the installation.

The record is a ConfigMap in the namespace of the gateway, from which verify.py reads what must hold. An agent-only
stack has one in the agent's namespace. It is updated in place (the provider has `enable_config_map_mutable`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s


@dataclass(frozen=True, kw_only=True)
class InstallationArgs:
    """`namespace` is where the record is; `record` is what stands, None where nothing is to stand.

    `record_digest` is what `proof.record.record_digest()` gives for it.
    It has short texts, and no secrets. `labels` tell whose it is.
    """

    namespace: str
    record_name: str
    record: Mapping[str, str] | None
    labels: Mapping[str, str]
    record_digest: str = ""


class Installation(pulumi.ComponentResource):
    """Verification and record. Outputs: `record` (str: the ConfigMap's name, "" without a record).

    `prove` runs in every `up` after all `steps`, whether or not anything changed, and never in a preview; it raises
    pulumi.RunError. The record's data wait for it, so nothing that follows happens after a failed verification, not
    even deletions. `record_digest` is the digest of the record once it is written, "" without a record.
    """

    def __init__(
        self,
        name: str,
        *,
        args: InstallationArgs,
        prove: Callable[[], object],
        steps: Sequence[pulumi.CustomResource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:Installation", name, None, opts)

        async def proven(_: object) -> Mapping[str, str]:
            await asyncio.to_thread(prove)
            return args.record or {}

        data: pulumi.Input[Mapping[str, str]] = args.record or {}
        if not pulumi.runtime.is_dry_run():
            data = pulumi.Output.all(*(step.id for step in steps)).apply(proven)
        self.proven = pulumi.Output.from_input(data).apply(lambda _: True)
        self.record_digest: pulumi.Output[str] = pulumi.Output.from_input("")
        if args.record is not None:
            record = k8s.core.v1.ConfigMap(
                f"{name}-record",
                metadata={"name": args.record_name, "namespace": args.namespace, "labels": dict(args.labels)},
                data=data,
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.record_digest = record.id.apply(lambda _: args.record_digest)
        self.register_outputs({"record": args.record_name if args.record is not None else "", "proven": self.proven})
