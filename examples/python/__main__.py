"""A program of a platform team: a gateway with Traceable, between the cluster and the address of the gateway."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from traceable_kong import TraceableOnKong, TraceableOnKongArgs

config = pulumi.Config()

# The cluster. Here its kubeconfig is in the stack's config; in your program it may be an output of the resource that
# creates the cluster.
kubeconfig = config.require_secret("kubeconfig")

# What differs between the stacks, as one object in the stack's config. What it has below `kong` is added to the names.
stack_config: Any = config.require_object("gateway")
differs: TraceableOnKongArgs = stack_config
kong: Any = {"namespace": "edge", "release": "edge", "ingress_class": "edge", **stack_config.get("kong", {})}

# The keys of a stack file (docs/configuration.md), in Python's spelling. Every value may be an Output.
arguments: TraceableOnKongArgs = {
    "kubernetes": {"kubeconfig": kubeconfig},
    "mode": "sync",
    "fail_mode": "open",
    "agent_token": config.require_secret("agentToken"),
    **differs,
    "kong": kong,
}
gateway = TraceableOnKong("edge", arguments)

# What must not exist before every gateway pod is protected, such as the DNS record of the gateway. A ConfigMap stands
# for it, so that this example needs no account with a cloud.
pulumi.export("edge", gateway.outputs)
k8s.core.v1.ConfigMap(
    "address",
    metadata={"name": "edge-address", "namespace": gateway.namespace},
    data={"host": pulumi.Output.concat(gateway.proxy_service, ".", gateway.namespace)},
    opts=pulumi.ResourceOptions(provider=k8s.Provider("cluster", kubeconfig=kubeconfig), depends_on=[gateway]),
)
