"""The Traceable agent: its namespace, the Secret with the platform token, and the Helm Release.

The token is only ever in the Secret: the chart gets the Secret's name (`externalTokenSecret`), so neither the
Release's state nor Helm's own history holds it. Leaves out the label and annotation that ask the agent's injector
for a TME: those belong to the gateway (TmeInjection).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pydantic import SecretStr

from components.helm import Chart, helm_release
from components.namespace import namespace_of
from images import DOCKER_HUB, ImageReference, ImageReferenceError, parse_image
from values import LIVE_OBJECT, Values, digest, merged, not_objects, with_secrets


@dataclass(frozen=True, kw_only=True)
class TokenSecret:
    """The Secret that holds the platform token, and the key in it."""

    name: str
    key: str


OWN_TOKEN_SECRET = TokenSecret(name="traceable-agent-token", key="token")
"""The Secret that is made here, in the agent's namespace."""


TOKEN_ANNOTATION = "traceable-kong/token-version"
CERTIFICATE_ANNOTATION = "traceable-kong/certificate"
"""What makes the agent's pods new when the token or the agent's own certificate is."""


class AgentValuesError(pulumi.RunError):
    """The user's chart values and ours contradict each other; the text says where, and what to write instead."""


def agent_endpoint(namespace: str) -> str:
    """The agent's address in the cluster: its Service is always `agent`, REST on 5442 (traceable-agent 1.58.0)."""
    return f"http://agent.{namespace}:5442"


def agent_values(
    user_values: Mapping[str, Any],
    *,
    environment: str | None,
    endpoint: str | None,
    blocking_status_code: int,
    blocking_message: str,
    token_secret: TokenSecret,
    replicas: int | None,
) -> Values:
    """The chart's values: ours, with the user's laid on them (traceable-agent 1.58.0).

    The chart wants the blocking settings in two places: at the top for the agent, and below `injector` for the
    sidecars that it will inject. It writes the one at the top into YAML as it stands, so `a: b` or `x # y` would break
    the agent's own configuration: there the message is handed over already quoted. A JSON string is a YAML string.

    `replicas` None leaves the chart's own. Raises AgentValuesError where both cannot be had.
    """
    if "forceUpdate" in user_values:
        raise AgentValuesError(
            "agentValues.forceUpdate is no value of the chart but an option of Helm's that replaces objects, pods and "
            "all, in place of changing them: take it out."
        )
    for wrong in not_objects(
        user_values, ("imageCredentials", "injector", "injector.tme", "tlsPrivateCertificatesAsString")
    ):
        raise AgentValuesError(
            f"agentValues.{wrong}, and the chart takes an object there: `helm show values` prints what it takes."
        )
    ours: Values = {
        "externalTokenSecret": {"name": token_secret.name, "key": token_secret.key},
        "blockingStatusCode": blocking_status_code,
        "blockingMessage": json.dumps(blocking_message),
        "injector": {
            "blockingConfig": {
                "blockingStatusCode": blocking_status_code,
                "blockingMessage": blocking_message,
            },
        },
    }
    if environment is not None:
        ours["environment"] = environment
    if endpoint is not None:
        ours["endpoint"] = endpoint
    if replicas is not None:
        ours["deploymentReplicas"] = replicas
    return merged(ours, user_values)


TME_REGISTRY = DOCKER_HUB
TME_REGISTRY_SUFFIX = "traceableai"
TME_NAME = "traceable-agent"
"""The TME's image is `<registry>/<suffix>/<name>:<version>`: the chart's `imageCredentials.registry`,
`imageCredentials.registrySuffix` and `injector.tme.imageName`, and these where the values name no others
(the chart's helper `imageRegistry`; the defaults of Traceable's Terraform module of 1.58.0, and injected pods)."""

DEFAULT_TME_IMAGE = ImageReference(registry=TME_REGISTRY, repository=f"{TME_REGISTRY_SUFFIX}/{TME_NAME}")


def tme_image_of(values: Mapping[str, Any]) -> ImageReference:
    """The image that an agent with these chart values injects as the TME (traceable-agent 1.58.0).

    It has a tag or a digest where `injector.tme.imageVersion` says so: without it the version is the chart's own, which
    the values do not hold. Raises AgentValuesError.
    """
    credentials, tme = values.get("imageCredentials") or {}, (values.get("injector") or {}).get("tme") or {}
    registry = str(credentials.get("registry") or TME_REGISTRY)
    # An empty suffix is one of the chart's ways to say that there is none.
    suffix = str(TME_REGISTRY_SUFFIX if credentials.get("registrySuffix") is None else credentials["registrySuffix"])
    name, version = str(tme.get("imageName") or TME_NAME), str(tme.get("imageVersion") or "")
    # With k8sManifests the chart leaves the registry out.
    parts = [suffix, name] if values.get("k8sManifests") else [registry, suffix, name]
    text = "/".join(part for part in parts if part)
    try:
        image = parse_image(text)
        if image.tag is not None or image.digest is not None:
            raise AgentValuesError(
                f"agentValues.injector.tme.imageName is {name!r}, and the chart puts the version behind it: the pods "
                "would have an image that does not exist. Write the version in agentValues.injector.tme.imageVersion."
            )
        if not version:
            return image
        return parse_image(f"{text}{'@' if version.startswith('sha256:') else ':'}{version}")
    except ImageReferenceError as problem:
        raise AgentValuesError(
            f"agentValues name a TME image that is none: {problem}. It is put together from imageCredentials.registry, "
            "imageCredentials.registrySuffix, injector.tme.imageName and injector.tme.imageVersion: correct these."
        ) from None


def sidecar_values(values: Mapping[str, Any]) -> Values:
    """The agent's values without those that no sidecar is given: they change the agent and not the gateway."""
    return {key: value for key, value in values.items() if key not in _AGENT_ONLY}


_AGENT_ONLY = frozenset({"additionalAnnotations", "deploymentReplicas", "externalTokenSecret", "resources"})


def certificate_digest(values: Mapping[str, Any]) -> str | None:
    """A digest of the agent's own certificate, None where the chart makes one.

    The chart's pods do not notice a new one (traceable-agent 1.58.0). The key stays out: it goes with its certificate.
    """
    own = values.get("tlsPrivateCertificatesAsString") or {}
    shown = [_revealed(own.get(name)) for name in ("rootCAB64", "certB64")]
    return digest(shown) if any(shown) else None


def _revealed(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


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
        before: pulumi.ResourceHookBinding | None = None,
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
                # One that was made with `kubectl apply` has the token in an annotation, too.
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=list(first), additional_secret_outputs=list(LIVE_OBJECT)
                ),
            )
            first.append(secret)
            # Not a digest: that would help to guess the token.
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
            opts=pulumi.ResourceOptions(parent=self, depends_on=first, hooks=before, protect=args.protect),
        )
        self.made: list[pulumi.CustomResource] = [release]
        self.endpoint = agent_endpoint(args.namespace)
        self.register_outputs({"endpoint": self.endpoint, "release": args.release})
