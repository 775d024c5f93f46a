"""Secrets in Pulumi inputs and outputs."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pydantic import SecretStr

LIVE_OBJECT = ("metadata", "spec", "status")
"""Outputs of a Kubernetes resource that contain the live object, with what other clients wrote into it.

`kubectl apply` keeps the whole object in an annotation, so `metadata` shows as much as `spec`
(https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/, last-applied-configuration).
"""


def with_secrets(value: Any) -> Any:
    """`value` with every SecretStr as a secret Output."""
    if isinstance(value, SecretStr):
        return pulumi.Output.secret(value.get_secret_value())
    if isinstance(value, Mapping):
        return {key: with_secrets(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_secrets(item) for item in value]
    return value
