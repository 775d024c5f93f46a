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
from values import Values, merged, with_secrets


@dataclass(frozen=True, kw_only=True)
class TokenSecret:
    """The Secret that holds the platform token, and the key in it."""

    name: str
    key: str


OWN_TOKEN_SECRET = TokenSecret(name="traceable-agent-token", key="token")
"""The Secret that is made here, in the agent's namespace."""


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
    tme_image: str | None,
) -> Values:
    """The chart's values: ours, with the user's laid on them (traceable-agent 1.58.0).

    The chart wants the blocking settings in two places: at the top for the agent, and below `injector` for the
    sidecars that it will inject. It writes the one at the top into YAML as it stands, so `a: b` or `x # y` would break
    the agent's own configuration: there the message is handed over already quoted. A JSON string is a YAML string.
    """
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
    if tme_image is not None:
        ours["injector"]["tme"] = {"imageName": tme_image}
    return merged(ours, user_values)


@dataclass(frozen=True, kw_only=True)
class AgentArgs:
    """What the agent is made of.

    `token` is the platform token, None where `values` name a Secret that exists; `values` is what `agent_values()`
    gave; `timeout_seconds` is how long Helm waits for the agent to be ready, and again for a roll-back.
    """

    namespace: str
    create_namespace: bool
    release: str
    chart: Chart
    values: Values = field(repr=False)
    token: SecretStr | None
    timeout_seconds: int


class TraceableAgent(pulumi.ComponentResource):
    """The agent. Outputs: `endpoint` (str: its address in the cluster), `release` (str)."""

    def __init__(self, name: str, *, args: AgentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("traceable-kong:index:TraceableAgent", name, None, opts)
        before: list[pulumi.Resource] = []
        if args.create_namespace:
            before.append(
                k8s.core.v1.Namespace(
                    f"{name}-namespace",
                    metadata={"name": args.namespace},
                    opts=pulumi.ResourceOptions(parent=self),
                )
            )
        if args.token is not None:
            before.append(
                k8s.core.v1.Secret(
                    f"{name}-token",
                    metadata={"name": OWN_TOKEN_SECRET.name, "namespace": args.namespace},
                    string_data={OWN_TOKEN_SECRET.key: with_secrets(args.token)},
                    opts=pulumi.ResourceOptions(parent=self, depends_on=list(before)),
                )
            )
        helm_release(
            f"{name}-release",
            name=args.release,
            namespace=args.namespace,
            chart=args.chart,
            values=args.values,
            timeout_seconds=args.timeout_seconds,
            opts=pulumi.ResourceOptions(parent=self, depends_on=before),
        )
        self.endpoint = agent_endpoint(args.namespace)
        self.register_outputs({"endpoint": self.endpoint, "release": args.release})
