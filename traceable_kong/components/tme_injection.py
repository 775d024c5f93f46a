"""The label and the annotations with which the agent's injector adds the TME to gateway pods.

The two patches always exist. With the TME they hold the namespace label, the pod annotation, and a digest of the
settings that a sidecar gets at injection (a running sidecar keeps the old ones). Without the TME they only hold the
namespace label that names the stack. So switching the mode is an update, which is awaited and ordered; a deletion would
come last and not be awaited. The DeploymentPatch only has map entries: a patch of list items (containers, env) shows a
change in every preview.
"""

from collections.abc import Mapping

import pulumi

from traceable_kong.cluster.ownership import GATEWAY_LABEL
from traceable_kong.components.deployment_step import DeploymentStep
from traceable_kong.components.existing_kong import ExistingKong
from traceable_kong.components.kong_gateway import KongGateway
from traceable_kong.components.kong_namespace import KongNamespace
from traceable_kong.components.kubernetes_object import KubernetesObject
from traceable_kong.components.secret_outputs import LIVE_OBJECT
from traceable_kong.plan.model import Gateway, Plan


class TmeInjection(DeploymentStep):
    """The two patches, with or without the TME. Outputs: `wanted` (bool).

    They are deleted together with the namespace and the release that this stack manages, without another rollout. The
    hooks run before the label and the annotation are set, not when they are removed. `annotations` are those of pods
    with the TME.
    """

    def __init__(
        self,
        name: str,
        *,
        plan: Plan,
        gateway: Gateway,
        namespace: KongNamespace,
        on: KongGateway | ExistingKong,
        hooks: tuple[pulumi.ResourceHookBinding, pulumi.ResourceHookBinding],
        annotations: pulumi.Input[Mapping[str, str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:TmeInjection", name, None, opts)

        label_hooks, annotation_hooks = hooks
        deployment, injection, wanted = gateway.kong.deployment, gateway.injection, gateway.wants_tme

        def label(after: list[pulumi.Resource]) -> pulumi.CustomResource:
            labels = {GATEWAY_LABEL: plan.owner, **(injection.label if wanted else {})}
            return KubernetesObject(
                "v1",
                "Namespace",
                f"{name}-namespace-label",
                {"metadata": {"name": deployment.namespace, "labels": labels}},
                patch=True,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=after,
                    deleted_with=namespace.namespace,
                    hooks=label_hooks if wanted else None,
                    additional_secret_outputs=list(LIVE_OBJECT),
                ),
            )

        def annotation(after: list[pulumi.Resource]) -> pulumi.CustomResource:
            timeout = f"{gateway.kong.timeout_seconds}s"
            spec = {"template": {"metadata": {"annotations": annotations}}} if wanted else None
            return KubernetesObject(
                "apps/v1",
                "Deployment",
                f"{name}-pod-annotation",
                {"metadata": {"name": deployment.name, "namespace": deployment.namespace}, "spec": spec},
                patch=True,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=after,
                    deleted_with=on.release,
                    hooks=annotation_hooks if wanted else None,
                    # A patch's outputs are the whole live Deployment, with the env values of other clients.
                    additional_secret_outputs=list(LIVE_OBJECT),
                    custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
                ),
            )

        # A pod with the annotation in a namespace without the label would start without its sidecar.
        first, second = (label, annotation) if wanted else (annotation, label)
        self.resources = [first([])]
        self.resources.append(second([*self.resources]))
        self.register_outputs({"wanted": wanted})
