"""The Kubernetes provider of every resource."""

import pulumi
import pulumi_kubernetes as k8s

from traceable_kong.cluster.target import ClusterTarget


def kubernetes_provider(name: str, target: ClusterTarget, *, opts: pulumi.ResourceOptions) -> k8s.Provider:
    """The provider for `target`; every resource that uses it is deleted before what the provider depends on.

    `enable_config_map_mutable` and `enable_secret_mutable`: record and token are updated in place; the plugin's files
    are immutable objects with names of their own. `upsert_existing_objects`: an object that an interrupted update
    created and did not record is adopted. `enable_patch_force`: a field of this stack that was changed by hand is
    corrected instead of failing with a conflict. The next three are set so that no environment variable of the machine
    changes them (`PULUMI_K8S_DELETE_UNREACHABLE`). Preflight has refused every object that is not managed by this stack
    (https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/).
    """
    nested = {"kube_client_settings": k8s.KubeClientSettingsArgs, "helm_release_settings": k8s.HelmReleaseSettingsArgs}
    further = {name: nested[name](**value) if name in nested else value for name, value in target.provider.items()}
    # Never None: the SDK would record KUBECONFIG as an input, and previews on two machines would differ. The provider
    # reads the variable itself.
    kubeconfig: pulumi.Input[str] = target.kubeconfig or ""
    return k8s.Provider(
        name,
        kubeconfig=pulumi.Output.secret(kubeconfig) if target.secret else kubeconfig,
        context=target.context,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        enable_patch_force=True,
        upsert_existing_objects=True,
        enable_server_side_apply=True,
        delete_unreachable=False,
        skip_update_unreachable=False,
        **further,
        opts=opts,
    )
