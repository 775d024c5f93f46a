"""The label and the annotations with which the agent's injector adds the TME to gateway pods.

The two patches always exist. With the TME they hold the namespace label, the pod annotation, and a digest of the
settings that a sidecar gets at injection (a running sidecar keeps the old ones). Without the TME they only hold the
namespace label that names the stack. So switching the mode is an update, which is awaited and ordered; a deletion would
come last and not be awaited. The DeploymentPatch only has map entries: a patch of list items (containers, env) shows a
change in every preview.
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
    """The two patches, in `resources`. Outputs: `wanted` (bool).

    `namespace` and `release` are what is patched, if this stack manages them: then the patches are deleted with them,
    without another rollout. The hooks run before the label and the annotation are set, not when they are removed.
    """

    def __init__(
        self,
        name: str,
        *,
        args: TmeInjectionArgs,
        namespace: pulumi.Resource | None,
        release: pulumi.Resource | None,
        label_hooks: pulumi.ResourceHookBinding | None = None,
        annotation_hooks: pulumi.ResourceHookBinding | None = None,
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
                    hooks=label_hooks if args.wanted else None,
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
                    hooks=annotation_hooks if args.wanted else None,
                    # A patch's outputs are the whole live Deployment, with the env values of other clients.
                    additional_secret_outputs=list(LIVE_OBJECT),
                    custom_timeouts=pulumi.CustomTimeouts(
                        create=f"{args.timeout_seconds}s", update=f"{args.timeout_seconds}s"
                    ),
                ),
            )

        # A pod with the annotation in a namespace without the label would start without its sidecar.
        first, second = (label, annotation) if args.wanted else (annotation, label)
        self.resources: list[pulumi.CustomResource] = [first([])]
        self.resources.append(second([*self.resources]))
        self.register_outputs({"wanted": args.wanted})
