"""The Traceable agent: its namespace, the Secret with the platform token, and the Helm Release.

The token is only in the Secret. The chart gets the Secret's name (`externalTokenSecret`), so neither the Release's
state nor Helm's history contains the token.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from traceable_kong.common.nested_data import digest, merged
from traceable_kong.components.deployment_step import DeploymentStep
from traceable_kong.components.helm_release import helm_release
from traceable_kong.components.kubernetes_object import SECRET_DATA, KubernetesObject
from traceable_kong.components.namespace import namespace_of
from traceable_kong.components.secret_outputs import LIVE_OBJECT
from traceable_kong.plan.agent_model import ManagedAgent
from traceable_kong.plan.model import Plan
from traceable_kong.plan.release_model import ReleaseKey

TOKEN_ANNOTATION = "traceable-kong/token-version"
CERTIFICATE_ANNOTATION = "traceable-kong/certificate"
"""Pod annotations that roll out the agent when the token or the agent's own certificate changes."""


def certificate_digest(values: Mapping[str, Any]) -> str | None:
    """A digest of the agent's own certificate, None if the chart generates one.

    The chart's pods do not notice a new certificate (traceable-agent 1.58.0). The key always changes with it.
    """
    own = values.get("tlsPrivateCertificatesAsString") or {}
    shown = [own.get(name) for name in ("rootCAB64", "certB64")]
    return digest(shown) if any(shown) else None


class TraceableAgent(DeploymentStep):
    """The agent that this stack manages. Outputs: `endpoint` (str), `release` (str).

    `revision` is Helm's revision, unknown in a preview exactly when the release changes.
    A release in `imports` exists in the cluster and is imported. `hooks` run before Helm starts. Only the release waits
    for `after`, unless the agent is in Kong's namespace: so a destroy deletes the agent's namespace while it deletes
    Kong's, which takes Kubernetes five seconds or more for each.
    """

    def __init__(
        self,
        name: str,
        *,
        plan: Plan,
        agent: ManagedAgent,
        after: Sequence[pulumi.Resource] = (),
        imports: frozenset[ReleaseKey] = frozenset(),
        hooks: pulumi.ResourceHookBinding | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("traceable-kong:index:TraceableAgent", name, None, opts)
        beside_kong = plan.gateway is not None and plan.gateway.kong.deployment.namespace == agent.namespace
        first = list(after) if beside_kong else []
        # An existing namespace that is also Kong's is read by KongNamespace.
        if agent.create_namespace or not beside_kong:
            namespace = namespace_of(
                f"{name}-namespace",
                name=agent.namespace,
                create=agent.create_namespace,
                labels=plan.labels,
                protect=agent.release.protect,
                parent=self,
            )
            if namespace is not None:
                first.append(namespace)
        annotations: dict[str, Any] = {}
        if agent.token is not None:
            metadata = {"name": agent.token_secret.name, "namespace": agent.namespace, "labels": plan.labels}
            token = pulumi.Output.secret({agent.token_secret.key: agent.token.get_secret_value()})
            secret = KubernetesObject(
                "v1",
                "Secret",
                f"{name}-token",
                {"metadata": metadata, "stringData": token},
                # A Secret that was created with `kubectl apply` has the token in an annotation too.
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=list(first), additional_secret_outputs=[*LIVE_OBJECT, *SECRET_DATA]
                ),
            )
            first.append(secret)
            # Not a digest, which would help to guess the token.
            version = secret.metadata.apply(lambda metadata: metadata.get("resourceVersion") or "")
            annotations[TOKEN_ANNOTATION] = pulumi.Output.unsecret(version)
        certificate = certificate_digest(agent.release.values)
        if certificate is not None:
            annotations[CERTIFICATE_ANNOTATION] = certificate
        release = agent.release
        if annotations:
            values = merged(release.values, {"additionalAnnotations": annotations})
            release = dataclasses.replace(release, values=values)
        installed = helm_release(
            f"{name}-release",
            release,
            import_existing=release.key in imports,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*after, *first], hooks=hooks),
        )
        self.resources = [installed]
        # The status of a release with secret values is a secret as a whole.
        self.revision: pulumi.Output[int] = pulumi.Output.unsecret(
            installed.status.apply(lambda status: int(status.get("revision") or 0))
        )
        self.register_outputs({"endpoint": agent.endpoint, "release": release.name})
