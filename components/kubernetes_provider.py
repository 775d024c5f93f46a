"""The Kubernetes provider of every resource."""

import pulumi
import pulumi_kubernetes as k8s

from traceable_kong.cluster.target import ClusterTarget


def kubernetes_provider(target: ClusterTarget, *, after: pulumi.Resource) -> k8s.Provider:
    """The provider for `target`; every resource that uses it is deleted before `after`.

    `enable_config_map_mutable` and `enable_secret_mutable`: record and token are updated in place; the plugin's files
    are immutable objects with names of their own. `upsert_existing_objects`: an object that an interrupted update
    created and did not record is adopted. `enable_patch_force`: a field of this stack that was changed by hand is
    corrected instead of failing with a conflict. Preflight has refused every object that is not managed by this stack
    (https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/).
    """
    # Never None: the SDK would record KUBECONFIG as an input, and previews on two machines would differ. The provider
    # reads the variable itself.
    kubeconfig: pulumi.Input[str] = target.kubeconfig or ""
    return k8s.Provider(
        "kubernetes",
        kubeconfig=pulumi.Output.secret(kubeconfig) if target.secret else kubeconfig,
        context=target.context,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        enable_patch_force=True,
        upsert_existing_objects=True,
        opts=pulumi.ResourceOptions(depends_on=[after]),
    )
