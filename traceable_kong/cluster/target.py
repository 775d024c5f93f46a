"""Which cluster this stack talks to: the provider's, and the same for our own questions.

`kubernetes:kubeconfig` (a path or the text itself) and `kubernetes:context` of the stack config decide; without them
the usual KUBECONFIG and its current context.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from traceable_kong.cluster.kubeconfig import connect, is_text
from traceable_kong.cluster.kubernetes_client import ApiError, KubernetesClient, Unreachable
from traceable_kong.common.commands import cluster_options


@dataclass(frozen=True, kw_only=True)
class ClusterTarget:
    """A cluster by kubeconfig and context; None means the usual one. `secret` is whether the kubeconfig is one."""

    kubeconfig: str | None = field(repr=False)
    context: str | None
    secret: bool = False

    def provider(self, name: str, *, after: pulumi.Resource) -> k8s.Provider:
        """The provider for every resource of the program; all of them are gone before `after` goes.

        `enable_config_map_mutable` and `enable_secret_mutable`: record and token are updated in place; the plugin's
        files are immutable objects with names of their own. `upsert_existing_objects`: what a killed run made and did
        not record is taken over. `enable_patch_force`: what somebody changed by hand in what is ours is put right, in
        place of ending in a field conflict. The preflight has refused whatever is not this stack's
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
            enable_secret_mutable=True,
            enable_patch_force=True,
            upsert_existing_objects=True,
            opts=pulumi.ResourceOptions(depends_on=[after]),
        )

    @cached_property
    def api(self) -> KubernetesClient:
        """The connection for our own questions. Raises pulumi.RunError where there is no such cluster to be found."""
        try:
            return connect(kubeconfig=self.kubeconfig, context=self.context)
        except Unreachable as problem:
            raise pulumi.RunError(
                f"The cluster cannot be told: {problem}. Nothing was touched. See `kubectl config get-contexts`, then "
                "`pulumi config set kubernetes:context NAME`."
            ) from None

    @property
    def command_options(self) -> str:
        """What a command of ours adds to reach this cluster, with a space before it; never a kubeconfig's text."""
        path = self.kubeconfig and not self.secret and not is_text(self.kubeconfig)
        return cluster_options(kubeconfig=self.kubeconfig if path else None, context=self.context)

    def refuse_unless_allowed(self, allowed: Sequence[str]) -> None:
        """Raises pulumi.RunError where `allowed` names clusters, and this one is not among them."""
        if not allowed:
            return
        if not (self.context or self.kubeconfig):
            pulumi.log.warn(
                "traceable-kong:allowedClusters is asked by `up` and `preview` only: `destroy` and `refresh` go by the "
                "state, and there by whatever context is current then. `pulumi config set kubernetes:context NAME` "
                "ties this stack to one."
            )
        server = self.api.server_url
        if server.rstrip("/") not in {url.rstrip("/") for url in allowed}:
            raise pulumi.RunError(
                f"This stack may touch {', '.join(allowed)} (traceable-kong:allowedClusters), and the kubeconfig "
                f"points to {server}. Nothing was touched. Choose the right cluster with "
                "`pulumi config set kubernetes:context NAME`, or add this one to allowedClusters."
            )

    def selector_of(self, namespace: str, deployment: str) -> dict[str, Any]:
        """The LabelSelector of a Deployment's pods; {} where it is not there, which preflight refuses.

        Raises pulumi.RunError where it cannot be read.
        """
        try:
            found = self.api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")
        except (ApiError, Unreachable) as problem:
            raise pulumi.RunError(
                f"The Deployment {namespace}/{deployment} could not be read: {problem}. Nothing was touched."
            ) from None
        return dict(found["spec"]["selector"]) if found else {}


def configured() -> ClusterTarget:
    """The cluster that the stack config names."""
    config = pulumi.Config("kubernetes")
    return ClusterTarget(
        kubeconfig=config.get("kubeconfig"),
        context=config.get("context"),
        secret=config.full_key("kubeconfig") in pulumi.runtime.get_config_secret_keys_env(),
    )
