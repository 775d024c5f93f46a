"""The Traceable agent: its namespace, the Secret with the platform token, and the Helm Release.

The token is only in the Secret. The chart gets the Secret's name (`externalTokenSecret`), so neither the Release's
state nor Helm's history contains the token.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pydantic import SecretStr

from components.helm_release import helm_release
from components.namespace import namespace_of
from components.secret_outputs import LIVE_OBJECT, with_secrets
from traceable_kong.cluster.agent_objects import agent_endpoint
from traceable_kong.common.nested_data import Values, digest, merged
from traceable_kong.helm_values.agent_values import (
    OWN_TOKEN_SECRET,
    _revealed,
)
from traceable_kong.helm_values.chart import Chart

TOKEN_ANNOTATION = "traceable-kong/token-version"
CERTIFICATE_ANNOTATION = "traceable-kong/certificate"
"""Pod annotations that roll out the agent when the token or the agent's own certificate changes."""


def certificate_digest(values: Mapping[str, Any]) -> str | None:
    """A digest of the agent's own certificate, None if the chart generates one.

    The chart's pods do not notice a new certificate (traceable-agent 1.58.0). The key always changes with it.
    """
    own = values.get("tlsPrivateCertificatesAsString") or {}
    shown = [_revealed(own.get(name)) for name in ("rootCAB64", "certB64")]
    return digest(shown) if any(shown) else None


@dataclass(frozen=True, kw_only=True)
class AgentArgs:
    """What the agent is made of.

    `token` is the platform token, None where `values` name a Secret that exists; `values` is what `agent_values()`
    gave; `timeout_seconds` is how long Helm waits for the agent to be ready, and again for a roll-back. `labels` tell
    whose the objects are. `create_namespace` None is a namespace that another component creates. `protect`
    True refuses to delete the release, and the namespace where it is made here.
    """

    namespace: str
    create_namespace: bool | None
    release: str
    chart: Chart
    values: Values = field(repr=False)
    token: SecretStr | None
    timeout_seconds: int
    labels: Mapping[str, str]
    protect: bool = False


class TraceableAgent(pulumi.ComponentResource):
    """The agent. Outputs: `endpoint` (str: its address in the cluster), `release` (str).

    `import_release` is as of KongGateway. `before` is what happens before Helm begins, `made` what it made.
    """

    def __init__(
        self,
        name: str,
        *,
        args: AgentArgs,
        import_release: bool = False,
        hooks: pulumi.ResourceHookBinding | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:TraceableAgent", name, None, opts)
        first: list[pulumi.Resource] = []
        if args.create_namespace is not None:
            namespace = namespace_of(
                f"{name}-namespace",
                name=args.namespace,
                create=args.create_namespace,
                labels=args.labels,
                protect=args.protect,
                parent=self,
            )
            if namespace is not None:
                first.append(namespace)
        annotations: dict[str, Any] = {}
        if args.token is not None:
            secret = k8s.core.v1.Secret(
                f"{name}-token",
                metadata={
                    "name": OWN_TOKEN_SECRET.name,
                    "namespace": args.namespace,
                    "labels": dict(args.labels),
                },
                string_data={OWN_TOKEN_SECRET.key: with_secrets(args.token)},
                # A Secret that was created with `kubectl apply` has the token in an annotation too.
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=list(first), additional_secret_outputs=list(LIVE_OBJECT)
                ),
            )
            first.append(secret)
            # Not a digest, which would help to guess the token.
            version = secret.metadata.apply(lambda metadata: metadata.resource_version or "")
            annotations[TOKEN_ANNOTATION] = pulumi.Output.unsecret(version)
        certificate = certificate_digest(args.values)
        if certificate is not None:
            annotations[CERTIFICATE_ANNOTATION] = certificate
        release = helm_release(
            f"{name}-release",
            name=args.release,
            namespace=args.namespace,
            chart=args.chart,
            values=merged(args.values, {"additionalAnnotations": annotations}) if annotations else args.values,
            timeout_seconds=args.timeout_seconds,
            import_existing=import_release,
            opts=pulumi.ResourceOptions(parent=self, depends_on=first, hooks=hooks, protect=args.protect),
        )
        self.resources: list[pulumi.CustomResource] = [release]
        self.endpoint = agent_endpoint(args.namespace)
        self.register_outputs({"endpoint": self.endpoint, "release": args.release})
