"""kubectl, the provider and this program, each with a kubeconfig, ask a server who they are.

All read the environment of this process.
"""

import asyncio
import json
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from local.provider.kubernetes.kubernetes_servicer import KubernetesServicer
from local.provider.property_values import decode, encode, plain
from tests.fakes.who_server import WHO
from traceable_kong.cluster.kubeconfig import connect
from traceable_kong.cluster.kubernetes_client import ApiError, Unreachable

REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
"""https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/"""

Client = Callable[..., dict[str, Any]]
"""Returns an object. Arguments are those of the kubernetes provider, which only some clients have. Raises Refused."""


class Refused(Exception):
    """The client does not accept the kubeconfig, or the server does not accept the client."""


def kubectl_who() -> dict[str, Any]:
    return _kubectl("get", "--raw", WHO)


def kubectl_review() -> dict[str, Any]:
    return _kubectl("auth", "whoami", "--output", "json")


def program_who(**given: Any) -> dict[str, Any]:
    try:
        return dict(connect(**given, as_provider=True).get(WHO) or {})
    except (Unreachable, ApiError) as problem:
        raise Refused(str(problem)) from None


def program_review() -> dict[str, Any]:
    try:
        return dict(connect().request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=REVIEW))
    except (Unreachable, ApiError) as problem:
        raise Refused(str(problem)) from None


def provider_who(**arguments: str) -> dict[str, Any]:
    urn = _urn("core/v1:Who")
    return asyncio.run(_provider(arguments, "Read", provider_pb2.ReadRequest(urn=urn, id="it")))


def provider_review() -> dict[str, Any]:
    metadata = {"name": "it", "annotations": {"pulumi.com/skipAwait": "true"}}
    request = provider_pb2.CreateRequest(
        urn=_urn("authentication.k8s.io/v1:SelfSubjectReview"), properties=encode({**REVIEW, "metadata": metadata})
    )
    return asyncio.run(_provider({}, "Create", request))


def _kubectl(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        ["kubectl", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        raise Refused(done.stderr)
    return dict(json.loads(done.stdout))


def _urn(token: str) -> str:
    return f"urn:pulumi:test::kubeconfigs::kubernetes:{token}::it"


class _Call:
    """The context of an RPC."""

    async def abort(self, code: Any, details: str) -> None:
        raise Refused(details)


async def _provider(arguments: Mapping[str, str], rpc: str, request: Any) -> dict[str, Any]:
    """Configures the stand-in of the provider as the engine does, in this process, and sends it a request."""
    servicer = KubernetesServicer("", "")
    variables = {f"kubernetes:config:{name}": value for name, value in arguments.items()}
    try:
        await servicer.Configure(provider_pb2.ConfigureRequest(variables=variables), _Call())
        answer = await getattr(servicer, rpc)(request, _Call())
    finally:
        if servicer.context.api:
            servicer.context.api.close()
    return dict(plain(decode(answer.properties)))
