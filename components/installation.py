"""The last step: the proof that what was asked for holds, and the record of what stands.

The record is a small ConfigMap beside the gateway. Whoever finds the gateway can read there what protects it, and
`verify` reads there what must hold. It is updated in place (the provider has `enable_config_map_mutable`). A stack that
is the agent alone has its own beside the agent, which no `verify` reads.
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
    """The proof and the record. Outputs: `record` (str: the ConfigMap's name, "" where there is none).

    `record_digest` is that of the record, and fails where the record is not written; "" where there is none.

    `prove` is called in every `up` when every one of `steps` is done, whether anything changed or not, and never in a
    preview; it raises pulumi.RunError. The record's data wait for it, so what follows, the deletions included, does
    not happen after it failed. In a preview the data are what they would be.
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
