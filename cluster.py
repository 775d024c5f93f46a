"""Which cluster this stack talks to: the provider's, and the same for our own questions.

`kubernetes:kubeconfig` (a path or the text itself) and `kubernetes:context` of the stack config decide; without them
the usual KUBECONFIG and its current context. Leaves out what is asked of the cluster.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pulumi
import pulumi_kubernetes as k8s

import kube


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster by kubeconfig and context; None means the usual one. `secret` is whether the kubeconfig is one."""

    kubeconfig: str | None = field(repr=False)
    context: str | None
    secret: bool = False

    def provider(self, name: str) -> k8s.Provider:
        """The provider for every resource of the program.

        `enable_config_map_mutable`: the record is updated in place; the plugin's files are immutable objects with
        names of their own. `upsert_existing_objects`: what a killed run made and did not record is taken over; the
        preflight has refused whatever does not carry this stack's label
        (https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/).
        """
        # Never None: the SDK would take KUBECONFIG as an input, which every machine has elsewhere, and previews of the
        # same stack would differ. The plugin reads the variable itself.
        given: pulumi.Input[str] = self.kubeconfig or ""
        return k8s.Provider(
            name,
            kubeconfig=pulumi.Output.secret(given) if self.secret else given,
            context=self.context,
            enable_config_map_mutable=True,
            upsert_existing_objects=True,
        )

    @cached_property
    def api(self) -> kube.Kube:
        """The connection for our own questions. Raises pulumi.RunError where there is no such cluster to be found."""
        try:
            return kube.connect(kubeconfig=self.kubeconfig, context=self.context)
        except kube.Unreachable as problem:
            raise pulumi.RunError(
                f"The cluster cannot be told: {problem}. Nothing was touched. See `kubectl config get-contexts`, then "
                "`pulumi config set kubernetes:context NAME`."
            ) from None

    def refuse_unless_allowed(self, allowed: Sequence[str]) -> None:
        """Raises pulumi.RunError where `allowed` names clusters, and this one is not among them."""
        if not allowed:
            return
        server = self.api.server_url
        if server.rstrip("/") not in {url.rstrip("/") for url in allowed}:
            raise pulumi.RunError(
                f"This stack may touch {', '.join(allowed)} (traceable-kong:allowedClusters), and the kubeconfig "
                f"points to {server}. Nothing was touched. Choose the right cluster with "
                "`pulumi config set kubernetes:context NAME`, or add this one to allowedClusters."
            )


def configured() -> Cluster:
    """The cluster that the stack config names."""
    config = pulumi.Config("kubernetes")
    return Cluster(
        kubeconfig=config.get("kubeconfig"),
        context=config.get("context"),
        secret=config.full_key("kubeconfig") in pulumi.runtime.get_config_secret_keys_env(),
    )
