"""The TME sidecar in the gateway's pods: the label and the annotation that the agent's injector looks for.

Two patches that are always there. Wanted, they hold the namespace's label, the pods' annotation and a digest of what
a sidecar is given at its injection (a running sidecar keeps the old values until its pod is new). Not wanted, they
hold nothing but the namespace's label that says whose gateway is there. So switching is an update, which is awaited
and has its place in the order; a deletion would come last and not be awaited. The DeploymentPatch names map entries
only: one that names items of a list (containers, env) shows a change in every preview.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.secret_outputs import LIVE_OBJECT
from traceable_kong.cluster.ownership import GATEWAY_LABEL
from traceable_kong.cluster.tme import (
    INJECT_LABEL,
    pod_annotations,
)


@dataclass(frozen=True, kw_only=True)
class TmeInjectionArgs:
    """Which gateway of the stack `owner`, and whether it gets the TME.

    `wanted` is True in sync while enabled. `settings_digest` stands for what a TME is given at its injection: another
    one rolls the gateway. `timeout_seconds` is how long the rollout may take.
    """

    owner: str
    wanted: bool
    namespace: str
    deployment: str
    settings_digest: str
    timeout_seconds: int


class TmeInjection(pulumi.ComponentResource):
    """Asks for the TME, or not. Outputs: `wanted` (bool). `made` are the two patches.

    `namespace` and `release` are the resources that are patched, where they are ours: when they go, the patches go
    with them, and nothing is rolled once more on the way. None where they stay. `before_label` and
    `before_annotation` hold these steps back until guard and injector do what they must.
    """

    def __init__(
        self,
        name: str,
        *,
        args: TmeInjectionArgs,
        namespace: pulumi.Resource | None,
        release: pulumi.Resource | None,
        before_label: pulumi.ResourceHookBinding | None = None,
        before_annotation: pulumi.ResourceHookBinding | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:TmeInjection", name, None, opts)

        def label(after: list[pulumi.Resource]) -> pulumi.CustomResource:
            labels = {GATEWAY_LABEL: args.owner, **(INJECT_LABEL if args.wanted else {})}
            metadata = k8s.meta.v1.ObjectMetaPatchArgs(name=args.namespace, labels=labels)
            return k8s.core.v1.NamespacePatch(
                f"{name}-namespace-label",
                metadata=metadata,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=after,
                    deleted_with=namespace,
                    hooks=before_label if args.wanted else None,
                    additional_secret_outputs=list(LIVE_OBJECT),
                ),
            )

        def annotation(after: list[pulumi.Resource]) -> pulumi.CustomResource:
            return k8s.apps.v1.DeploymentPatch(
                f"{name}-pod-annotation",
                metadata={"name": args.deployment, "namespace": args.namespace},
                spec={"template": {"metadata": {"annotations": pod_annotations(args.settings_digest)}}}
                if args.wanted
                else None,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=after,
                    deleted_with=release,
                    hooks=before_annotation if args.wanted else None,
                    # A patch's outputs are the whole live Deployment, other people's env values included.
                    additional_secret_outputs=list(LIVE_OBJECT),
                    custom_timeouts=pulumi.CustomTimeouts(
                        create=f"{args.timeout_seconds}s", update=f"{args.timeout_seconds}s"
                    ),
                ),
            )

        # No pod may carry the annotation in a namespace without the label: it would start without its sidecar.
        first, second = (label, annotation) if args.wanted else (annotation, label)
        self.made: list[pulumi.CustomResource] = [first([])]
        self.made.append(second([*self.made]))
        self.register_outputs({"wanted": args.wanted})
